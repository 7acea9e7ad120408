package main

import (
	"fmt"
	"os"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// remoteClients is the number of clients of a deployment: enough to measure, too few to stress.
const remoteClients = 16

// measureRemote measures the phases on a deployment, whose rate limits apply. It returns the exit
// status.
func measureRemote(url string, duration time.Duration) int {
	errors := 0
	for i, codec := range []string{"json", "proto"} {
		var options []connect.ClientOption
		if codec == "json" {
			options = append(options, connect.WithProtoJSON())
		}
		client := load.NewClient(url, remoteClients, options...)
		if i == 0 {
			registerAll(client)
		}
		for _, phase := range phases {
			if phase.call == nil {
				continue // only the fast client makes these calls
			}
			result := remotePhase(client, phase, duration)
			errors += result.Errors
			fmt.Printf("%-26s %-5s %7.0f calls/s  p50 %6.1f  p95 %6.1f  p99 %6.1f  max %7.1f ms",
				phase.name, codec, result.PerSecond(), result.Percentile(50), result.Percentile(95),
				result.Percentile(99), result.Max())
			fmt.Printf("  %d errors\n", result.Errors)
			if result.FirstError != nil {
				fmt.Fprintln(os.Stderr, "  ", result.FirstError)
			}
		}
	}
	fmt.Printf("%d errors\n", errors)
	return min(errors, 1)
}

func remotePhase(client load.Client, phase phase, duration time.Duration) load.Result {
	target := target{
		round: fmt.Sprint(time.Now().UnixNano()),
		pick:  load.Uniform(keys),
	}
	call := phase.call(clients{Client: client}, target)
	if phase.isFirst {
		return load.Calls(remoteClients, 4*remoteClients, call)
	}
	return load.For(remoteClients, duration, call)
}
