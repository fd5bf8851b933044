package controller_test

import (
	"bytes"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sonde-dev/sonde/api/v1alpha1"
	"github.com/sonde-dev/sonde/controller"
	"github.com/sonde-dev/sonde/receiver/credential"
)

func TestSecret(t *testing.T) {
	check := withTemplate(`{}`)
	key := settings(t).Key
	got := controller.Secret(check, key)
	if !metav1.IsControlledBy(got, check) || got.Namespace != "shop" || got.Labels[v1alpha1.LabelCheck] != "login" {
		t.Errorf("the Secret %+v is not the Check's", got.ObjectMeta)
	}
	if got.Immutable == nil || !*got.Immutable {
		t.Error("the Secret may be changed")
	}
	if got.StringData["token"] != credential.Token(key, string(check.UID)) {
		t.Error("the Secret does not hold the Check's token")
	}

	otherKey, err := credential.ParseKey(bytes.Repeat([]byte("o"), credential.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	again := withTemplate(`{}`)
	again.UID = "22222222-2222-3333-4444-555555555555"
	for why, other := range map[string]string{
		"another key":                 controller.Secret(check, otherKey).Name,
		"a Check that was made again": controller.Secret(again, key).Name,
	} {
		if other == got.Name {
			t.Errorf("%s has the same Secret, which cannot be changed", why)
		}
	}
}
