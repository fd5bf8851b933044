package run

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// cause returns why pod cannot start or was taken away, in Kubernetes' words; an
// empty reason if neither. What ended the pod comes before what a container says
// of it, and both before what it waits for. A pod that succeeded has none, however
// a sidecar ended.
func cause(pod *corev1.Pod) (result.Reason, string) {
	if pod.Status.Phase == corev1.PodSucceeded {
		return "", ""
	}
	for _, f := range []func(*corev1.Pod) (result.Reason, string){disruption, podReason, terminated, deleted, waiting, unscheduled} {
		if reason, message := f(pod); reason != "" {
			return reason, message
		}
	}
	return "", ""
}

// disruption reads the condition that tells why a pod was taken away. Source: pod
// disruption conditions of Kubernetes.
func disruption(pod *corev1.Pod) (result.Reason, string) {
	c := condition(pod, corev1.DisruptionTarget)
	if c == nil || c.Status != corev1.ConditionTrue {
		return "", ""
	}
	switch c.Reason {
	case "PreemptionByScheduler":
		return result.Preempted, c.Message
	case "EvictionByEvictionAPI", corev1.PodReasonTerminationByKubelet:
		return result.Evicted, c.Message
	case "DeletionByTaintManager", "DeletionByPodGC":
		return result.NodeLost, c.Message
	}
	return "", ""
}

// podReason reads the pod's own reason, which the kubelet and the node controller
// set.
func podReason(pod *corev1.Pod) (result.Reason, string) {
	switch pod.Status.Reason {
	case "Evicted":
		return result.Evicted, pod.Status.Message
	case "Preempting":
		return result.Preempted, pod.Status.Message
	case "NodeLost", "Terminated", "NodeShutdown", "Shutdown":
		return result.NodeLost, pod.Status.Message
	}
	if pod.Status.Phase == corev1.PodFailed && len(containers(pod)) == 0 {
		return result.AdmissionRefused, fmt.Sprintf("the kubelet refused the pod: %s: %s", pod.Status.Reason, pod.Status.Message)
	}
	return "", ""
}

// terminated reads how containers ended.
func terminated(pod *corev1.Pod) (result.Reason, string) {
	for _, c := range containers(pod) {
		t := c.State.Terminated
		if t == nil {
			continue
		}
		switch t.Reason {
		case "OOMKilled":
			return result.OOMKilled, fmt.Sprintf("container %s was killed for using more memory than its limit", c.Name)
		case "StartError", "ContainerCannotRun":
			return result.StartError, fmt.Sprintf("container %s: %s", c.Name, t.Message)
		}
	}
	return "", ""
}

// deleted tells of a pod that ended because it was deleted.
func deleted(pod *corev1.Pod) (result.Reason, string) {
	if pod.DeletionTimestamp == nil || pod.Status.Phase != corev1.PodFailed {
		return "", ""
	}
	return result.PodDeleted, "the pod was deleted before it ended"
}

// waiting reads what containers wait for.
func waiting(pod *corev1.Pod) (result.Reason, string) {
	for _, c := range containers(pod) {
		w := c.State.Waiting
		if w == nil {
			continue
		}
		if reason := waitingReason(w.Reason); reason != "" {
			return reason, fmt.Sprintf("container %s: %s: %s", c.Name, w.Reason, w.Message)
		}
	}
	return "", ""
}

// waitingReason translates the kubelet's word. Those that are left out, such as
// ContainerCreating, mean that all goes well so far.
func waitingReason(kubelet string) result.Reason {
	switch kubelet {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		return result.ImagePull
	case "CreateContainerConfigError":
		return result.ContainerConfig
	case "CreateContainerError", "RunContainerError":
		return result.StartError
	}
	return ""
}

// unscheduled tells of a pod that no node takes.
func unscheduled(pod *corev1.Pod) (result.Reason, string) {
	c := condition(pod, corev1.PodScheduled)
	if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
		return "", ""
	}
	return result.Unschedulable, c.Message
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

func containers(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}
