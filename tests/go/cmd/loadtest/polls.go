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
	// pollers are colonies that wait for messages at the same time.
	pollers = 500
	// idle is for how long nothing comes.
	idle = 15 * time.Second
	// wakes are messages that are then left, one after another.
	wakes = 200
	// wokenWithin is by when a colony has such a message: 99 in 100.
	wokenWithin = 100 * time.Millisecond
)

// polls has colonies wait for messages, and looks at what that costs while none comes, and how soon each has
// its own when it does.
func polls(t *harness.Program, _ options, findings *load.Findings) {
	for _, name := range routingNames {
		progress("%d colonies wait for messages, %s", pollers, name)
		worker := start(t, routings[name])
		client := load.NewClient(worker.URL, 2*pollers)
		day, over := context.WithCancel(context.Background())
		arrived := make([]chan time.Time, pollers)
		var all sync.WaitGroup
		errors := make(chan error, pollers)
		for i := range pollers {
			arrived[i] = make(chan time.Time, wakes)
			all.Go(func() { errors <- waitAllDay(day, client, inbox(i), arrived[i]) })
		}
		// All of them have asked by then, and the first have yet to ask again.
		<-time.After(5 * time.Second)
		before := worker.Usage()
		<-time.After(idle)
		after := worker.Usage()
		busy := 100 * float64(after.CPU-before.CPU) / float64(idle)
		latency := hdrhistogram.New(1, time.Minute.Microseconds(), 3)
		var failed error
		for number := range wakes {
			i := number * pollers / wakes
			left := time.Now()
			if err := leave(client, inbox(i)); err != nil {
				failed = err
				break
			}
			select {
			case at := <-arrived[i]:
				_ = latency.RecordValue(at.Sub(left).Microseconds())
			case <-time.After(30 * time.Second):
				failed = fmt.Errorf("message %d was not delivered", number)
			}
		}
		over()
		all.Wait()
		close(errors)
		for err := range errors {
			if err != nil && failed == nil {
				failed = err
			}
		}
		milliseconds := func(percent float64) float64 { return float64(latency.ValueAtQuantile(percent)) / 1000 }
		findings.Expect(failed == nil && busy < 5,
			"%d colonies wait, %s: %.1f %% of a core and %.0f MiB while nothing comes; errors: %v",
			pollers, name, busy, load.MiB(after.RSS), failed)
		findings.Expect(latency.ValueAtQuantile(99) < wokenWithin.Microseconds(),
			"  from leaving a message to having it: p50 %.1f, p99 %.1f, max %.1f ms",
			milliseconds(50), milliseconds(99), float64(latency.Max())/1000)
		worker.Kill()
	}
}

func inbox(number int) string { return fmt.Sprintf("inbox-%d", number) }

// waitAllDay polls as a colony does, and tells when each message came. It removes none: each mesh gets but one.
func waitAllDay(day context.Context, client load.Client, meshID string, arrived chan<- time.Time) error {
	for {
		ctx, cancel := context.WithTimeout(day, 35*time.Second)
		answer, err := client.PollBootstrapRendezvous(ctx, connect.NewRequest(
			&discoveryv1.PollBootstrapRendezvousRequest{MeshId: meshID, WaitSeconds: 25}))
		cancel()
		switch {
		case day.Err() != nil:
			return nil
		case err != nil:
			return err
		case len(answer.Msg.GetRecords()) > 0:
			arrived <- time.Now()
			return nil
		}
	}
}

func leave(client load.Client, meshID string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.PublishBootstrapRendezvous(ctx, connect.NewRequest(&discoveryv1.PublishBootstrapRendezvousRequest{
		MeshId: meshID, Ciphertext: make([]byte, 300), GcmNonce: make([]byte, 12), WriteToken: make([]byte, 32),
	}))
	if err == nil && !answer.Msg.GetSuccess() {
		return fmt.Errorf("%s: no success", meshID)
	}
	return err
}
