"""Why a network said what it said."""
