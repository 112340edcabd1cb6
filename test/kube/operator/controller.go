package main

import (
	"context"
	"encoding/json"
	"log"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// directory lists the sites in a ConfigMap that no site owns: only the finalizer takes an entry out.
const directory = "site-directory"

type controller struct {
	client      kubernetes.Interface
	sites       dynamic.NamespaceableResourceInterface
	recorder    record.EventRecorder
	namespace   string
	queue       workqueue.RateLimitingInterface
	siteCache   cache.GenericLister
	deployments appslisters.DeploymentLister
	start       func(stop <-chan struct{}) bool
}

func newController(
	client kubernetes.Interface, objects dynamic.Interface, recorder record.EventRecorder, namespace string,
) *controller {
	custom := dynamicinformer.NewDynamicSharedInformerFactory(objects, 10*time.Minute)
	builtin := informers.NewSharedInformerFactory(client, 10*time.Minute)
	sites, deployments := custom.ForResource(siteResource), builtin.Apps().V1().Deployments()
	c := &controller{
		client:      client,
		sites:       objects.Resource(siteResource),
		recorder:    recorder,
		namespace:   namespace,
		queue:       workqueue.NewNamedRateLimitingQueue(workqueue.DefaultControllerRateLimiter(), "sites"),
		siteCache:   sites.Lister(),
		deployments: deployments.Lister(),
	}
	sites.Informer().AddEventHandler(handlers(func(object metav1.Object) {
		c.queue.Add(object.GetNamespace() + "/" + object.GetName())
	}))
	deployments.Informer().AddEventHandler(handlers(func(object metav1.Object) {
		if owner := metav1.GetControllerOf(object); owner != nil && owner.Kind == siteKind.Kind {
			c.queue.Add(object.GetNamespace() + "/" + owner.Name)
		}
	}))
	c.start = func(stop <-chan struct{}) bool {
		custom.Start(stop)
		builtin.Start(stop)
		return cache.WaitForCacheSync(stop, sites.Informer().HasSynced, deployments.Informer().HasSynced)
	}
	return c
}

func handlers(enqueue func(metav1.Object)) cache.ResourceEventHandler {
	handle := func(object interface{}) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if known, err := meta.Accessor(object); err == nil {
			enqueue(known)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    handle,
		UpdateFunc: func(_, object interface{}) { handle(object) },
		DeleteFunc: handle,
	}
}

func (c *controller) run(ctx context.Context) {
	if !c.start(ctx.Done()) {
		return
	}
	go func() {
		<-ctx.Done()
		c.queue.ShutDown()
	}()
	for {
		key, quit := c.queue.Get()
		if quit {
			return
		}
		if err := c.reconcile(ctx, key.(string)); err != nil {
			log.Printf("%s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *controller) reconcile(ctx context.Context, key string) error {
	object, err := c.siteCache.Get(key)
	if errors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	site, err := siteOf(object.(*unstructured.Unstructured).DeepCopy())
	if err != nil {
		return err
	}
	finalizers := sets.NewString(site.Finalizers...)
	if site.DeletionTimestamp != nil {
		if !finalizers.Has(finalizer) {
			return nil
		}
		if err := c.list(ctx, site, nil); err != nil {
			return err
		}
		c.recorder.Event(object, corev1.EventTypeNormal, "Unlisted", "taken out of the directory")
		site.Finalizers = finalizers.Delete(finalizer).List()
		return c.update(ctx, site)
	}
	if !finalizers.Has(finalizer) {
		site.Finalizers = append(site.Finalizers, finalizer)
		return c.update(ctx, site)
	}
	if err := c.list(ctx, site, &site.Spec.Host); err != nil {
		return err
	}
	deployment, err := c.deploy(ctx, site)
	if err != nil {
		c.recorder.Event(object, corev1.EventTypeWarning, "Failed", err.Error())
		return err
	}
	return c.report(ctx, site, deployment)
}

func (c *controller) update(ctx context.Context, site *Site) error {
	object, err := site.unstructured()
	if err == nil {
		_, err = c.sites.Namespace(site.Namespace).Update(ctx, object, metav1.UpdateOptions{})
	}
	return err
}

// list enters the site's host into the directory, or takes it out.
func (c *controller) list(ctx context.Context, site *Site, host *string) error {
	patch, err := json.Marshal(map[string]interface{}{"data": map[string]interface{}{site.entry(): host}})
	if err != nil {
		return err
	}
	maps := c.client.CoreV1().ConfigMaps(c.namespace)
	_, err = maps.Patch(ctx, directory, types.MergePatchType, patch, metav1.PatchOptions{})
	if host == nil || !errors.IsNotFound(err) {
		return err
	}
	first := &corev1.ConfigMap{Data: map[string]string{site.entry(): *host}}
	first.Name = directory
	_, err = maps.Create(ctx, first, metav1.CreateOptions{})
	return err
}

func (c *controller) deploy(ctx context.Context, site *Site) (*appsv1.Deployment, error) {
	deployments := c.client.AppsV1().Deployments(site.Namespace)
	found, err := c.deployments.Deployments(site.Namespace).Get(site.Name)
	if errors.IsNotFound(err) {
		made, err := deployments.Create(ctx, deploymentFor(site), metav1.CreateOptions{})
		if err == nil {
			c.recorder.Eventf(siteReference(site), corev1.EventTypeNormal, "Deployed", "made Deployment %s", made.Name)
		}
		return made, err
	} else if err != nil {
		return nil, err
	}
	wanted := found.DeepCopy()
	wanted.Spec.Replicas = site.Spec.Replicas
	wanted.Spec.Template.Spec.Containers[0].Image = site.Spec.Image
	if equality.Semantic.DeepEqual(found.Spec, wanted.Spec) {
		return found, nil
	}
	return deployments.Update(ctx, wanted, metav1.UpdateOptions{})
}

func deploymentFor(site *Site) *appsv1.Deployment {
	labels := map[string]string{group + "/site": site.Name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name:            site.Name,
			Namespace:       site.Namespace,
			Labels:          labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(site, siteKind)},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: site.Spec.Replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: site.Spec.Image}}},
			},
		},
	}
}

func (c *controller) report(ctx context.Context, site *Site, deployment *appsv1.Deployment) error {
	before := site.Status
	site.Status.Conditions = append([]metav1.Condition(nil), before.Conditions...)
	site.Status.ObservedGeneration = site.Generation
	site.Status.Replicas = deployment.Status.Replicas
	site.Status.ReadyReplicas = deployment.Status.ReadyReplicas
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, Reason: "Waiting", ObservedGeneration: site.Generation}
	if deployment.Status.ReadyReplicas == *site.Spec.Replicas {
		ready.Status, ready.Reason = metav1.ConditionTrue, "Serving"
	}
	meta.SetStatusCondition(&site.Status.Conditions, ready)
	if equality.Semantic.DeepEqual(before, site.Status) {
		return nil
	}
	object, err := site.unstructured()
	if err == nil {
		_, err = c.sites.Namespace(site.Namespace).UpdateStatus(ctx, object, metav1.UpdateOptions{})
	}
	return err
}

func siteReference(site *Site) *corev1.ObjectReference {
	version, kind := siteKind.ToAPIVersionAndKind()
	return &corev1.ObjectReference{
		APIVersion: version, Kind: kind, Namespace: site.Namespace, Name: site.Name, UID: site.UID,
	}
}
