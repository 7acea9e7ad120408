package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// maxAgeMs is how far behind a lookup may be with the cache on, as documented.
const maxAgeMs = 60_000

// checkCached checks what is documented of lookups with the cache on: what they find was registered, its
// lease has not lapsed, and it was true a minute ago at most. It returns what contradicts that.
func checkCached(history []porcupine.Operation, ttlMs int64) error {
	type registration struct {
		input
		output
	}
	registrations := map[string][]registration{}
	for _, operation := range history {
		in, out := operation.Input.(input), operation.Output.(output)
		if in.kind == register && out.outcome != refused {
			registrations[in.id] = append(registrations[in.id], registration{in, out})
		}
	}
	for _, operation := range history {
		in, out := operation.Input.(input), operation.Output.(output)
		if out.outcome != found {
			continue
		}
		if in.callMs-slackMs > out.atMs+ttlMs {
			return fmt.Errorf("lapsed %d ms before: %+v -> %+v", in.callMs-out.atMs-ttlMs, in, out)
		}
		wasRegistered := false
		for _, r := range registrations[in.id] {
			isIt := r.outcome == granted && r.atMs == out.atMs
			mayBeIt := r.outcome == unknown && r.callMs-slackMs <= out.atMs && out.atMs <= r.returnMs
			wasRegistered = wasRegistered || (r.input.key == out.key && (isIt || mayBeIt))
			if r.outcome == granted && r.atMs > out.atMs && r.returnMs < in.callMs-maxAgeMs {
				return fmt.Errorf("a minute behind %+v: %+v -> %+v", r, in, out)
			}
		}
		if !wasRegistered {
			return fmt.Errorf("never registered: %+v -> %+v", in, out)
		}
	}
	return nil
}
