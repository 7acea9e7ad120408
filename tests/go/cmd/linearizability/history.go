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
	// ids and keys are few, so that clients get in each other's way.
	ids, keys int
	// ttl is short, so that leases lapse while others ask for them.
	ttl time.Duration
	// between is how long the Worker lives from one kill to the next.
	between time.Duration
	// pause is how long a client waits between calls at the most.
	pause time.Duration
}

// recorder makes calls and writes down what becomes of them.
type recorder struct {
	settings settings
	url      string
	epoch    time.Time
	mutex    sync.Mutex
	history  []porcupine.Operation
	// wrong is an answer that no model allows.
	wrong error
}

// record has clients call the Worker while it is killed and started again, and returns what they saw.
func record(t harness.T, worker *harness.Worker, settings settings, progress func(kills, calls int)) ([]porcupine.Operation, error) {
	r := &recorder{settings: settings, url: worker.URL, epoch: time.Now()}
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	for number := range settings.clients {
		clients.Go(func() { r.client(ctx, number) })
	}
	for kill := range settings.kills {
		time.Sleep(settings.between)
		worker.Restart()
		progress(kill+1, r.calls())
	}
	time.Sleep(settings.between)
	stop()
	clients.Wait()
	return r.history, r.wrong
}

func (r *recorder) calls() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.history)
}

func (r *recorder) client(ctx context.Context, number int) {
	client := load.NewClient(r.url, 1)
	for ctx.Err() == nil {
		id := rand.IntN(r.settings.ids)
		in := input{
			kind: kind(rand.IntN(2)),
			id:   fmt.Sprintf("mesh-%d", id),
			key:  load.Key(rand.IntN(r.settings.keys)),
		}
		if r.rests(id) {
			in.kind = lookup
		}
		// Not the caller's context: a call that is cut off by the client may be done later.
		call := time.Now()
		in.callMs = call.UnixMilli()
		out, err := r.call(client, in)
		end := time.Now()
		out.returnMs = end.UnixMilli()
		r.mutex.Lock()
		if err != nil {
			r.wrong = fmt.Errorf("%+v: %w", in, err)
		}
		r.history = append(r.history, porcupine.Operation{
			ClientId: number,
			Input:    in,
			Call:     call.Sub(r.epoch).Nanoseconds(),
			Output:   out,
			Return:   end.Sub(r.epoch).Nanoseconds(),
		})
		r.mutex.Unlock()
		time.Sleep(rand.N(r.settings.pause))
	}
}

// rests tells whether an id is only looked up for now, for longer than its lease lives: with clients that renew all the
// time no lease would ever lapse.
func (r *recorder) rests(id int) bool {
	period := r.settings.ttl * 3 / 2
	return (int(time.Since(r.epoch)/period)+id)%2 == 1
}

func (r *recorder) call(client load.Client, in input) (output, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if in.kind == lookup {
		answer, err := client.LookupColony(ctx, connect.NewRequest(&discoveryv1.LookupColonyRequest{MeshId: in.id}))
		if err == nil {
			return output{outcome: found, key: answer.Msg.Pubkey, atMs: answer.Msg.LastSeen.AsTime().UnixMilli()}, nil
		}
		return r.failed(err, connect.CodeNotFound, absent)
	}
	request := &discoveryv1.RegisterColonyRequest{
		MeshId:    in.id,
		Pubkey:    in.key,
		Endpoints: []string{"203.0.113.7:51820"},
	}
	answer, err := client.RegisterColony(ctx, connect.NewRequest(request))
	if err == nil {
		at := answer.Msg.ExpiresAt.AsTime().Add(-r.settings.ttl)
		return output{outcome: granted, atMs: at.UnixMilli()}, nil
	}
	return r.failed(err, connect.CodeAlreadyExists, refused)
}

// failed tells an answer of the rules from a Worker that is gone.
func (r *recorder) failed(err error, expected connect.Code, outcome outcome) (output, error) {
	switch code := connect.CodeOf(err); {
	case code == expected:
		return output{outcome: outcome}, nil
	case code == connect.CodeUnavailable && !errors.Is(err, context.DeadlineExceeded):
		return output{outcome: unknown}, nil
	default:
		return output{outcome: unknown}, err
	}
}
