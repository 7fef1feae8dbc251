"""From examples to labels: pipelines, the engines that compute them, predictors and what they are worth."""
