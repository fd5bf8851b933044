package controller

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sonde-dev/sonde/receiver/credential"
)

// EnsureKey returns the installation's key from the Secret called name, and makes
// that Secret with a key from rand if there is none. Receivers mount the same
// Secret. It is called once at start: to rotate, change the Secret and restart the
// controller (docs/operations.md).
func EnsureKey(ctx context.Context, c client.Client, name types.NamespacedName, rand io.Reader) (credential.Key, error) {
	var held corev1.Secret
	err := c.Get(ctx, name, &held)
	if apierrors.IsNotFound(err) {
		err = createKey(ctx, c, name, rand)
		if err == nil || apierrors.IsAlreadyExists(err) { // the other replica was first
			err = c.Get(ctx, name, &held)
		}
	}
	if err != nil {
		return credential.Key{}, fmt.Errorf("installation key in Secret %s: %w", name, err)
	}
	key, err := credential.ParseKey(held.Data[credential.CurrentFile])
	if err != nil {
		return credential.Key{}, fmt.Errorf("installation key in Secret %s, %q: %w", name, credential.CurrentFile, err)
	}
	return key, nil
}

func createKey(ctx context.Context, c client.Client, name types.NamespacedName, rand io.Reader) error {
	key, err := credential.NewKey(rand)
	if err != nil {
		return err
	}
	return c.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name.Name, Namespace: name.Namespace},
		Data:       map[string][]byte{credential.CurrentFile: key.Bytes()},
	}, client.FieldOwner(FieldManager))
}
