"""What a metric's name or a log line says is wrong, in the words of SymptomKind, and whom it names."""

from detection.symptoms.metric_names import MetricMeaning, Worse, metric_meaning
from detection.symptoms.texts import named_in, symptoms_of_text

__all__ = ["MetricMeaning", "Worse", "metric_meaning", "named_in", "symptoms_of_text"]
