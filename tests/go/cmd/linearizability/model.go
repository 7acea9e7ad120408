package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// slackMs is the difference between the clocks of the Worker and of a client. The runtime's clock
// stands still while a request is handled, and moves in steps of some milliseconds.
const slackMs = 25

// kind is the kind of a call.
type kind int

const (
	register kind = iota
	lookup
)

// input is a call, and when it started by the client's clock.
type input struct {
	kind   kind
	id     string
	key    string
	callMs int64
}

// outcome is the outcome of a call.
type outcome int

const (
	// granted: the caller holds the lease since atMs, by the Worker's clock.
	granted outcome = iota
	// rejected: another key holds the lease.
	rejected
	// found: key holds the lease since atMs, by the Worker's clock.
	found
	// absent: there is no live lease.
	absent
	// unknown: the Worker was killed before its response. It handled the call before that, or never.
	unknown
)

// output is the result of a call.
type output struct {
	outcome  outcome
	key      string
	atMs     int64
	returnMs int64
}

// lease is the state of one id. The zero value is a free lease.
type lease struct {
	key string
	// fromMs and toMs bound the time of the registration. They are equal if a response had the time.
	fromMs, toMs int64
	// nowMs is a lower bound of the current time.
	nowMs int64
}

// steps returns the possible states of a lease after a call: none if its output breaks the rules.
func (l lease) steps(in input, out output, ttlMs int64) []lease {
	earliest := max(l.nowMs, in.callMs-slackMs)
	isFree := l.key == ""
	mayLive := !isFree && earliest <= l.toMs+ttlMs
	mayHaveExpired := isFree || out.returnMs > l.fromMs+ttlMs
	switch out.outcome {
	case granted:
		isOutOfOrder := out.atMs < l.nowMs-slackMs ||
			out.atMs < in.callMs-slackMs || out.atMs > out.returnMs
		hasExpired := isFree || out.atMs > l.fromMs+ttlMs
		if isOutOfOrder || (l.key != in.key && !hasExpired) {
			return nil
		}
		return []lease{{in.key, out.atMs, out.atMs, max(l.nowMs, out.atMs)}}
	case rejected:
		if !mayLive || l.key == in.key {
			return nil
		}
		return []lease{{l.key, max(l.fromMs, earliest-ttlMs), l.toMs, earliest}}
	case found:
		if isFree || out.key != l.key || out.atMs < l.fromMs || out.atMs > l.toMs ||
			earliest > out.atMs+ttlMs {
			return nil
		}
		return []lease{{l.key, out.atMs, out.atMs, earliest}}
	case absent:
		if !mayHaveExpired {
			return nil
		}
		if isFree {
			return []lease{{nowMs: earliest}}
		}
		return []lease{{
			l.key, l.fromMs, min(l.toMs, out.returnMs-ttlMs-1), max(earliest, l.fromMs+ttlMs+1),
		}}
	default:
		if in.kind == lookup || (l.key != in.key && !mayHaveExpired) {
			return []lease{l}
		}
		return []lease{l, {in.key, earliest, out.returnMs, earliest}}
	}
}

// leaseModel returns the rules of leases. Each id is independent of the others.
func leaseModel(ttlMs int64) porcupine.Model {
	nondeterministic := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byID := map[string][]porcupine.Operation{}
			for _, operation := range history {
				id := operation.Input.(input).id
				byID[id] = append(byID[id], operation)
			}
			var parts [][]porcupine.Operation
			for _, part := range byID {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{lease{}} },
		Step: func(state, in, out any) []any {
			var states []any
			for _, next := range state.(lease).steps(in.(input), out.(output), ttlMs) {
				states = append(states, next)
			}
			return states
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%+v -> %+v", in, out)
		},
	}
	return nondeterministic.ToModel()
}
