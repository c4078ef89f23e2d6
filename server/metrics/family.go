package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"exante/storage/measure"
)

// family is one metric with its labels. All have the prefix exante_, base units
// and the suffixes that Prometheus asks for.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// families are all there are; filled by the declarations below and in the other files.
var families []family

func counter(name, help string, labels ...string) family {
	return declare(prometheus.CounterValue, name, help, labels)
}

func gauge(name, help string, labels ...string) family {
	return declare(prometheus.GaugeValue, name, help, labels)
}

func histogram(name, help string, labels ...string) family {
	return declare(prometheus.UntypedValue, name, help, labels)
}

func declare(kind prometheus.ValueType, name, help string, labels []string) family {
	f := family{prometheus.NewDesc("exante_"+name, help, labels, nil), kind}
	families = append(families, f)
	return f
}

func (f family) send(out chan<- prometheus.Metric, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
}

func (f family) sendDurations(out chan<- prometheus.Metric, d measure.Durations, labels ...string) {
	buckets := make(map[float64]uint64, len(measure.Bounds))
	for i, bound := range measure.Bounds {
		buckets[bound.Seconds()] = d.Upto[i]
	}
	out <- prometheus.MustNewConstHistogram(f.desc, d.Count, d.Sum.Seconds(), buckets, labels...)
}

var (
	buildInfo  = gauge("build_info", "1, with what the program was made from.", "version", "go_version", "environment")
	logDropped = counter("log_lines_dropped_total", "Lines of the log that were lost because standard error did not take them in time.")
)
