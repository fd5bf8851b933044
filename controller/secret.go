package controller

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/receiver/credential"
)

// secretKey is the key of the token in a check's Secret.
const secretKey = "token"

// Secret returns the Secret with the token of check. It is immutable and named by
// what the token depends on, so that the controller never has to read or change
// one: it may only create Secrets.
func Secret(check *v1alpha1.Check, key credential.Key) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name:            secretName(check.UID, key.ID()),
			Namespace:       check.Namespace,
			Labels:          map[string]string{v1alpha1.LabelCheck: check.Name},
			OwnerReferences: []metav1.OwnerReference{ownerReference(check)},
		},
		Immutable:  new(true),
		StringData: map[string]string{secretKey: credential.Token(key, string(check.UID))},
	}
}

func secretName(check types.UID, keyID string) string {
	const hashLength = 16
	return "sonde-" + shortHash(string(check)+"/"+keyID, hashLength)
}

// ownerReference makes check the controller of an object, for garbage collection.
// It does not block the owner's deletion: setting that needs a right more.
func ownerReference(check *v1alpha1.Check) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: v1alpha1.GroupVersion().String(),
		Kind:       v1alpha1.Kind,
		Name:       check.Name,
		UID:        check.UID,
		Controller: new(true),
	}
}
