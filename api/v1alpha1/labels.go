package v1alpha1

// Labels and annotations. Each says who writes it and who reads it.
const (
	// LabelCheck is the name of the Check. Written by the controller on CronJob,
	// Job, Pod and Secret; the informers of both processes select by it.
	LabelCheck = "sonde.dev/check"

	// LabelShard is the number of the receiver that owns the check, "0" upwards.
	// Written by the controller on CronJob, Job and Pod; a receiver watches its own.
	LabelShard = "sonde.dev/shard"

	// LabelUnscheduled marks a Job that no slot asked for, with why it was made:
	// "on-create". Written by the controller; the receiver does not count such a
	// Job as due.
	LabelUnscheduled = "sonde.dev/unscheduled"

	// AnnotationHash is the hash of the desired CronJob. Written by the controller
	// on the CronJob; it tells whether anything is left to apply.
	AnnotationHash = "sonde.dev/desired-hash"

	// AnnotationKubeUpQuery, "true" on a Check, puts the credential of KU_API_URL
	// into the query and not into the userinfo, for clients that cannot send
	// userinfo. Such clients may print it.
	AnnotationKubeUpQuery = "sonde.dev/kube-up-credential-in-query"

	// AnnotationSafeToEvict keeps the cluster autoscaler from ending a run.
	// Written by the controller on pods, unless the template has it.
	AnnotationSafeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"
)
