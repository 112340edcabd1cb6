package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	group     = "operator.orrery.test"
	finalizer = group + "/directory"
)

var (
	siteKind     = schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Site"}
	siteResource = schema.GroupVersionResource{Group: group, Version: "v1", Resource: "sites"}
)

// Site is a host name and what answers there.
type Site struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              SiteSpec   `json:"spec"`
	Status            SiteStatus `json:"status,omitempty"`
}

// SiteSpec is what is wanted; the webhook fills in image and replicas.
type SiteSpec struct {
	Host     string `json:"host"`
	Image    string `json:"image,omitempty"`
	Replicas *int32 `json:"replicas,omitempty"`
}

// SiteStatus is what was found.
type SiteStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Replicas           int32              `json:"replicas"`
	ReadyReplicas      int32              `json:"readyReplicas"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

func siteOf(object *unstructured.Unstructured) (*Site, error) {
	site := &Site{}
	return site, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, site)
}

func (site *Site) unstructured() (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(site)
	return &unstructured.Unstructured{Object: fields}, err
}

// entry is the key of the site in the directory.
func (site *Site) entry() string { return site.Namespace + "." + site.Name }
