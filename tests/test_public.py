import googlenet


def test_public_names_are_pinned():
    assert sorted(googlenet.__all__) == [
        "Arch", "Branch", "GoogLeNet", "GoogLeNetClassifier", "GoogLeNetOutput", "Inception", "InputError",
        "Prediction", "Predictor", "cost", "create_model", "inception", "list_models", "load", "load_model",
        "save_weights",
    ]  # fmt: skip
    for name in googlenet.__all__:
        assert getattr(googlenet, name).__doc__
