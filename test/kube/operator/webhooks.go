package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	defaultImage = "nginx:1.25"
	mostReplicas = 10
)

type webhooks struct {
	url string
	ca  []byte
}

// serveWebhooks listens on a free port, with a certificate that it signs itself.
func serveWebhooks() (*webhooks, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return nil, err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/mutate", answering(fillIn))
	routes.HandleFunc("/validate", answering(judge))
	go func() { log.Fatal(http.Serve(listener, routes)) }()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	return &webhooks{url: "https://" + listener.Addr().String(), ca: ca}, nil
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "site-operator"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// register says that this instance is the one to ask.
func (hooks *webhooks) register(ctx context.Context, client kubernetes.Interface) error {
	none, fail := registration.SideEffectClassNone, registration.Fail
	rules := []registration.RuleWithOperations{{
		Operations: []registration.OperationType{registration.Create, registration.Update},
		Rule:       registration.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{"sites"}},
	}}
	asked := func(path string) registration.WebhookClientConfig {
		url := hooks.url + path
		return registration.WebhookClientConfig{URL: &url, CABundle: hooks.ca}
	}
	meta := metav1.ObjectMeta{Name: "site-operator"}
	versions := []string{"v1"}

	mutating := registration.MutatingWebhookConfiguration{ObjectMeta: meta, Webhooks: []registration.MutatingWebhook{{
		Name: "mutate.sites." + group, ClientConfig: asked("/mutate"), Rules: rules,
		SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: versions,
	}}}
	mutating.SetGroupVersionKind(registration.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration"))
	validating := registration.ValidatingWebhookConfiguration{ObjectMeta: meta, Webhooks: []registration.ValidatingWebhook{{
		Name: "validate.sites." + group, ClientConfig: asked("/validate"), Rules: rules,
		SideEffects: &none, FailurePolicy: &fail, AdmissionReviewVersions: versions,
	}}}
	validating.SetGroupVersionKind(registration.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"))

	api, force := client.AdmissionregistrationV1(), true
	options := metav1.PatchOptions{FieldManager: "site-operator", Force: &force}
	body, err := json.Marshal(mutating)
	if err != nil {
		return err
	}
	if _, err = api.MutatingWebhookConfigurations().Patch(ctx, meta.Name, types.ApplyPatchType, body, options); err != nil {
		return err
	}
	if body, err = json.Marshal(validating); err != nil {
		return err
	}
	_, err = api.ValidatingWebhookConfigurations().Patch(ctx, meta.Name, types.ApplyPatchType, body, options)
	return err
}

type judgement func(request *admissionv1.AdmissionRequest, site, old *Site) *admissionv1.AdmissionResponse

func answering(judged judgement) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		review := admissionv1.AdmissionReview{}
		if err := json.NewDecoder(request.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(writer, "not an AdmissionReview", http.StatusBadRequest)
			return
		}
		var site, old Site
		err := json.Unmarshal(review.Request.Object.Raw, &site)
		if err == nil && len(bytes.TrimSpace(review.Request.OldObject.Raw)) > 0 {
			err = json.Unmarshal(review.Request.OldObject.Raw, &old)
		}
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = judged(review.Request, &site, &old)
		review.Response.UID = review.Request.UID
		review.Request = nil
		writer.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(writer).Encode(review); err != nil {
			log.Print(err)
		}
	}
}

func fillIn(_ *admissionv1.AdmissionRequest, site, _ *Site) *admissionv1.AdmissionResponse {
	type operation struct {
		Op    string      `json:"op"`
		Path  string      `json:"path"`
		Value interface{} `json:"value"`
	}
	var patch []operation
	if site.Spec.Image == "" {
		patch = append(patch, operation{"add", "/spec/image", defaultImage})
	}
	if site.Spec.Replicas == nil {
		patch = append(patch, operation{"add", "/spec/replicas", 2})
	}
	response := &admissionv1.AdmissionResponse{Allowed: true}
	if len(patch) > 0 {
		kind := admissionv1.PatchTypeJSONPatch
		response.PatchType = &kind
		response.Patch, _ = json.Marshal(patch)
	}
	return response
}

func judge(request *admissionv1.AdmissionRequest, site, old *Site) *admissionv1.AdmissionResponse {
	refuse := func(format string, args ...interface{}) *admissionv1.AdmissionResponse {
		return &admissionv1.AdmissionResponse{Result: &metav1.Status{
			Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid, Message: fmt.Sprintf(format, args...),
		}}
	}
	if replicas := site.Spec.Replicas; replicas != nil && *replicas > mostReplicas {
		return refuse("%d replicas are more than %d", *replicas, mostReplicas)
	}
	if request.Operation == admissionv1.Update && site.Spec.Host != old.Spec.Host {
		return refuse("a site does not move from %s to %s", old.Spec.Host, site.Spec.Host)
	}
	return &admissionv1.AdmissionResponse{Allowed: true}
}
