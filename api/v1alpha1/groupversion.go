// Package v1alpha1 holds the Go types of the Check, API group sonde.dev. It is a
// leaf: types and constants, no behaviour.
//
// +kubebuilder:object:generate=true
// +groupName=sonde.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group and Version of this package's kinds.
const (
	Group   = "sonde.dev"
	Version = "v1alpha1"
	Kind    = "Check"
)

// GroupVersion returns the group and version of this package's kinds.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: Group, Version: Version} }

// AddToScheme adds this package's kinds to s.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &Check{}, &CheckList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
