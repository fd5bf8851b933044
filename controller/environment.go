package controller

import (
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller/shard"
)

// environment returns the variables that each container of the check is given,
// in an order in which each may refer to those before it. The values are the same
// for all runs: what differs from run to run comes by the downward API, and the
// kubelet composes the credential from it.
//
// Sources: the OpenTelemetry environment variable specification, and the variables
// that kube-up and Kuberhealthy hand to their checks.
func environment(check *v1alpha1.Check, container, cronJob string, s Settings) []corev1.EnvVar {
	host := s.receiverHost(shard.Of(check.UID, s.Shards))
	env := []corev1.EnvVar{
		value("SONDE_URL", "http://"+host+"/v1/results"),
		value("SONDE_CHECK", check.Name),
		value("SONDE_NAMESPACE", check.Namespace),
		field("SONDE_POD", "metadata.name"),
		field("SONDE_POD_UID", "metadata.uid"),
		field("SONDE_NODE", "spec.nodeName"),
		field("SONDE_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
		field("SONDE_RUN_ID", "metadata.labels['batch.kubernetes.io/controller-uid']"),
		value("SONDE_TIMEOUT_SECONDS", strconv.Itoa(int(check.Spec.Timeout.Seconds()))),
		secret("SONDE_TOKEN", secretName(check.UID, s.Key.ID()), secretKey),
		value("SONDE_CREDENTIAL", "$(SONDE_RUN_ID).$(SONDE_TOKEN)"),
	}
	env = append(env, otelEnvironment(check, container, cronJob, host)...)
	return append(env, compatEnvironment(check, host)...)
}

func otelEnvironment(check *v1alpha1.Check, container, cronJob, host string) []corev1.EnvVar {
	resource := strings.Join([]string{
		"service.namespace=" + check.Namespace,
		fmt.Sprintf("service.instance.id=%s.$(SONDE_POD).%s", check.Namespace, container),
		"k8s.namespace.name=" + check.Namespace,
		"k8s.cronjob.name=" + cronJob,
		"k8s.job.name=$(SONDE_JOB)",
		"k8s.job.uid=$(SONDE_RUN_ID)",
		"k8s.pod.name=$(SONDE_POD)",
		"k8s.pod.uid=$(SONDE_POD_UID)",
		"k8s.node.name=$(SONDE_NODE)",
		"k8s.container.name=" + container,
		"sonde.check.name=" + check.Name,
	}, ",")
	return []corev1.EnvVar{
		value("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+host+":4318"),
		value("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
		value("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20$(SONDE_CREDENTIAL)"),
		value("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
		value("OTEL_TRACES_EXPORTER", "otlp"),
		value("OTEL_METRICS_EXPORTER", "otlp"),
		value("OTEL_LOGS_EXPORTER", "otlp"),
		value("OTEL_SERVICE_NAME", check.Name),
		value("OTEL_RESOURCE_ATTRIBUTES", resource),
		value("OTEL_METRIC_EXPORT_INTERVAL", "10000"), // ms; bounds what a killed pod loses
		value("OTEL_BSP_SCHEDULE_DELAY", "1000"),
		value("OTEL_BLRP_SCHEDULE_DELAY", "1000"),
		value("K6_OTEL_EXPORTER_PROTOCOL", "http/protobuf"),
		value("K6_OTEL_HTTP_EXPORTER_ENDPOINT", host+":4318"),
		value("K6_OTEL_HTTP_EXPORTER_INSECURE", "true"),
	}
}

// compatEnvironment returns what check images written for kube-up and
// Kuberhealthy look for.
func compatEnvironment(check *v1alpha1.Check, host string) []corev1.EnvVar {
	kubeUp := "http://$(SONDE_RUN_ID):$(SONDE_TOKEN)@" + host + "/synthetics/results"
	if check.Annotations[v1alpha1.AnnotationKubeUpQuery] == "true" {
		kubeUp = "http://" + host + "/synthetics/results?credential=$(SONDE_CREDENTIAL)"
	}
	return []corev1.EnvVar{
		value("KU_API_URL", kubeUp),
		value("KH_REPORTING_URL", "http://"+host+"/check"),
		value("KH_RUN_UUID", "$(SONDE_CREDENTIAL)"),
		value("KH_POD_NAMESPACE", check.Namespace),
	}
}

func value(name, v string) corev1.EnvVar { return corev1.EnvVar{Name: name, Value: v} }

func field(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}}
}

func secret(name, object, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: object}, Key: key},
	}}
}
