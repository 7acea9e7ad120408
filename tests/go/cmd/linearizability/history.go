package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/anishathalye/porcupine"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// settings of a history.
type settings struct {
	kills   int
	clients int
	// ids and keys are few, so that clients conflict.
	ids, keys int
	// ttl is short, so that leases expire while clients look them up.
	ttl time.Duration
	// killInterval is the time between two kills.
	killInterval time.Duration
	// maxPause is the longest pause of a client between two calls.
	maxPause time.Duration
}

// recorder makes calls and records their results.
type recorder struct {
	settings settings
	url      string
	epoch    time.Time
	mutex    sync.Mutex
	history  []porcupine.Operation
	// unexpected is an error that no rule allows.
	unexpected error
}

// record makes calls while the Worker is killed and restarted, and returns their history.
func record(
	t harness.T, worker *harness.Worker, settings settings, progress func(kills, calls int),
) ([]porcupine.Operation, error) {
	r := &recorder{settings: settings, url: worker.URL, epoch: time.Now()}
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for number := range settings.clients {
		clients.Go(func() { r.runClient(ctx, number) })
	}
	for kill := range settings.kills {
		time.Sleep(settings.killInterval)
		worker.Restart()
		progress(kill+1, r.calls())
	}
	time.Sleep(settings.killInterval)
	stop()
	clients.Wait()
	return r.history, r.unexpected
}

func (r *recorder) calls() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.history)
}

func (r *recorder) runClient(ctx context.Context, number int) {
	client := load.NewClient(r.url, 1)
	for ctx.Err() == nil {
		id := rand.IntN(r.settings.ids)
		in := input{
			kind: kind(rand.IntN(2)),
			id:   fmt.Sprintf("mesh-%d", id),
			key:  load.Key(rand.IntN(r.settings.keys)),
		}
		if r.isLookupOnly(id) {
			in.kind = lookup
		}
		started := time.Now()
		in.callMs = started.UnixMilli()
		out, err := r.call(client, in)
		ended := time.Now()
		out.returnMs = ended.UnixMilli()
		r.mutex.Lock()
		if err != nil {
			r.unexpected = fmt.Errorf("%+v: %w", in, err)
		}
		r.history = append(r.history, porcupine.Operation{
			ClientId: number,
			Input:    in,
			Call:     started.Sub(r.epoch).Nanoseconds(),
			Output:   out,
			Return:   ended.Sub(r.epoch).Nanoseconds(),
		})
		r.mutex.Unlock()
		time.Sleep(rand.N(r.settings.maxPause))
	}
}

// isLookupOnly returns true in periods in which clients only look an id up. They are longer than
// the lease's time to live: no lease would expire if clients renewed all the time.
func (r *recorder) isLookupOnly(id int) bool {
	period := r.settings.ttl * 3 / 2
	return (int(time.Since(r.epoch)/period)+id)%2 == 1
}

func (r *recorder) call(client load.Client, in input) (output, error) {
	// Independent of the client's context: the effect of a canceled call would be unknown.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if in.kind == lookup {
		request := &discoveryv1.LookupColonyRequest{MeshId: in.id}
		response, err := client.LookupColony(ctx, connect.NewRequest(request))
		if err == nil {
			at := response.Msg.LastSeen.AsTime()
			return output{outcome: found, key: response.Msg.Pubkey, atMs: at.UnixMilli()}, nil
		}
		return failedCall(err, connect.CodeNotFound, absent)
	}
	response, err := client.RegisterColony(ctx, connect.NewRequest(
		&discoveryv1.RegisterColonyRequest{
			MeshId:    in.id,
			Pubkey:    in.key,
			Endpoints: []string{"203.0.113.7:51820"},
		}))
	if err == nil {
		at := response.Msg.ExpiresAt.AsTime().Add(-r.settings.ttl)
		return output{outcome: granted, atMs: at.UnixMilli()}, nil
	}
	return failedCall(err, connect.CodeAlreadyExists, rejected)
}

// isCutOff returns true if the Worker was killed between the headers and the body of an error:
// connect-go then knows only the HTTP status.
func isCutOff(err error) bool {
	var connectErr *connect.Error
	if !errors.As(err, &connectErr) || connect.IsWireError(err) {
		return false
	}
	switch connectErr.Message() {
	case "404 Not Found", "409 Conflict":
		return true
	default:
		return false
	}
}

// failedCall returns the outcome of an expected error, or an unknown outcome if the Worker was
// killed. Other errors are unexpected.
func failedCall(err error, expected connect.Code, outcome outcome) (output, error) {
	switch code := connect.CodeOf(err); {
	case code == expected:
		return output{outcome: outcome}, nil
	case code == connect.CodeUnavailable && !errors.Is(err, context.DeadlineExceeded):
		return output{outcome: unknown}, nil
	case isCutOff(err):
		return output{outcome: unknown}, nil
	default:
		return output{outcome: unknown}, err
	}
}
