package main

import (
	"fmt"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// remoteClients is how many calls at once a deployment gets: it is measured, not stressed.
const remoteClients = 16

// remotePhase makes the calls of a phase to a deployment; those that only a cheaper client makes are left out.
func remotePhase(url, codec string, phase phase, duration time.Duration) load.Result {
	var options []connect.ClientOption
	if codec == "json" {
		options = append(options, connect.WithProtoJSON())
	}
	client := load.NewClient(url, remoteClients, options...)
	prepareOnce(client)
	call := phase.call(clients{Client: client}, target{round: fmt.Sprint(time.Now().UnixNano()), pick: load.Uniform(keys)})
	if phase.first {
		return load.Calls(remoteClients, 4*remoteClients, call)
	}
	return load.For(remoteClients, duration, call)
}

var prepared bool

func prepareOnce(client load.Client) {
	if !prepared {
		prepare(client)
		prepared = true
	}
}
