package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// maxStalenessMs is the documented age of a cached lookup.
const maxStalenessMs = 60_000

// checkStaleness checks the rules of lookups with the cache: each returns a record that was
// registered, whose lease has not expired, and that was current at most a minute ago. It returns
// the first violation.
func checkStaleness(history []porcupine.Operation, ttlMs int64) error {
	type registration struct {
		input
		output
	}
	registrations := map[string][]registration{}
	for _, operation := range history {
		in, out := operation.Input.(input), operation.Output.(output)
		if in.kind == register && out.outcome != rejected {
			registrations[in.id] = append(registrations[in.id], registration{in, out})
		}
	}
	for _, operation := range history {
		in, out := operation.Input.(input), operation.Output.(output)
		if out.outcome != found {
			continue
		}
		if in.callMs-slackMs > out.atMs+ttlMs {
			return fmt.Errorf("expired %d ms before: %+v -> %+v",
				in.callMs-out.atMs-ttlMs, in, out)
		}
		wasRegistered := false
		for _, r := range registrations[in.id] {
			isSame := r.outcome == granted && r.atMs == out.atMs
			mayBeSame := r.outcome == unknown &&
				r.callMs-slackMs <= out.atMs && out.atMs <= r.returnMs
			wasRegistered = wasRegistered || (r.input.key == out.key && (isSame || mayBeSame))
			isNewer := r.outcome == granted && r.atMs > out.atMs
			if isNewer && r.returnMs < in.callMs-maxStalenessMs {
				return fmt.Errorf("a minute behind %+v: %+v -> %+v", r, in, out)
			}
		}
		if !wasRegistered {
			return fmt.Errorf("never registered: %+v -> %+v", in, out)
		}
	}
	return nil
}
