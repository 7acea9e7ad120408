package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/HdrHistogram/hdrhistogram-go"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// pollers is the number of colonies that wait for rendezvous records at the same time.
	pollers = 500
	// idleDuration is the time without records in which their cost is measured.
	idleDuration = 15 * time.Second
	// records is the number of records that are then published, one after another.
	records = 200
	// maxDelivery is the limit of the 99th percentile of the time from publication to delivery.
	maxDelivery = 100 * time.Millisecond
)

// polls measures colonies that wait for rendezvous records: their cost while there are none, and
// the time to delivery.
func polls(t *harness.Program, _ options, checks *load.Checks) {
	for _, routing := range routingNames {
		pollsOf(t, routing, checks)
	}
}

func pollsOf(t *harness.Program, routing string, checks *load.Checks) {
	progress("%d colonies wait for rendezvous records, %s", pollers, routing)
	worker := start(t, routings[routing])
	client := load.NewClient(worker.URL, 2*pollers)
	ctx, stop := context.WithCancel(context.Background())
	delivered := make([]chan time.Time, pollers)
	errors := make(chan error, pollers)
	var group sync.WaitGroup
	for i := range pollers {
		delivered[i] = make(chan time.Time, 1)
		group.Go(func() { errors <- pollUntilDelivered(ctx, client, mailbox(i), delivered[i]) })
	}
	// After this time all polls have begun, and none has ended.
	<-time.After(5 * time.Second)
	before := worker.Usage()
	<-time.After(idleDuration)
	after := worker.Usage()
	busyPercent := 100 * float64(after.CPU-before.CPU) / float64(idleDuration)
	latency, err := publishRecords(client, delivered)
	stop()
	group.Wait()
	close(errors)
	for failed := range errors {
		if failed != nil && err == nil {
			err = failed
		}
	}
	milliseconds := func(percent float64) float64 {
		return float64(latency.ValueAtQuantile(percent)) / 1000
	}
	checks.Expect(err == nil && busyPercent < 5,
		"%d colonies wait, %s: %.1f %% of a core and %.0f MiB without records; errors: %v",
		pollers, routing, busyPercent, load.MiB(after.RSS), err)
	checks.Expect(latency.ValueAtQuantile(99) < maxDelivery.Microseconds(),
		"  from publication to delivery: p50 %.1f, p99 %.1f, max %.1f ms",
		milliseconds(50), milliseconds(99), float64(latency.Max())/1000)
	worker.Kill()
}

// publishRecords publishes a record for some of the pollers. It returns the times to delivery, in
// microseconds.
func publishRecords(
	client load.Client, delivered []chan time.Time,
) (*hdrhistogram.Histogram, error) {
	latency := hdrhistogram.New(1, time.Minute.Microseconds(), 3)
	var err error
	for number := range records {
		poller := number * pollers / records
		published := time.Now()
		if err := publish(client, mailbox(poller)); err != nil {
			return latency, err
		}
		select {
		case at := <-delivered[poller]:
			_ = latency.RecordValue(at.Sub(published).Microseconds())
		case <-time.After(30 * time.Second):
			err = fmt.Errorf("record %d was not delivered", number)
		}
	}
	return latency, err
}

func mailbox(number int) string { return fmt.Sprintf("mailbox-%d", number) }

// pollUntilDelivered polls as a colony does, until a record is delivered. It does not acknowledge
// the record: each mailbox gets only one.
func pollUntilDelivered(
	parent context.Context, client load.Client, meshID string, delivered chan<- time.Time,
) error {
	request := &discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: 25}
	for {
		ctx, cancel := context.WithTimeout(parent, 35*time.Second)
		response, err := client.PollBootstrapRendezvous(ctx, connect.NewRequest(request))
		cancel()
		switch {
		case parent.Err() != nil:
			return nil
		case err != nil:
			return err
		case len(response.Msg.GetRecords()) > 0:
			delivered <- time.Now()
			return nil
		}
	}
}

func publish(client load.Client, meshID string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	response, err := client.PublishBootstrapRendezvous(ctx, connect.NewRequest(
		&discoveryv1.PublishBootstrapRendezvousRequest{
			MeshId: meshID, Ciphertext: make([]byte, 300), GcmNonce: make([]byte, 12),
			WriteToken: make([]byte, 32),
		}))
	if err == nil && !response.Msg.GetSuccess() {
		return fmt.Errorf("%s: no success", meshID)
	}
	return err
}
