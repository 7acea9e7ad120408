package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// slackMs is by how much the Worker's clock may be behind that of a client: the runtime's stands still while
// a request is worked on, and moves in steps of some milliseconds.
const slackMs = 25

// kind is what an operation does.
type kind int

const (
	register kind = iota
	lookup
)

// input is what a client asks for, and when, on the machine's clock.
type input struct {
	kind   kind
	id     string
	key    string
	callMs int64
}

// outcome is what became of it.
type outcome int

const (
	// granted: the lease is the caller's since atMs, by the Worker's clock.
	granted outcome = iota
	// refused: another key has it.
	refused
	// found: key has it since atMs, by the Worker's clock.
	found
	// absent: nobody has it.
	absent
	// unknown: no answer came, as the Worker was killed. It was done before that, or never.
	unknown
)

// output is an answer.
type output struct {
	outcome  outcome
	key      string
	atMs     int64
	returnMs int64
}

// lease is the state of one id. The zero value is nobody's.
type lease struct {
	key string
	// It was registered between these two, which are one where an answer told.
	fromMs, toMs int64
	// nowMs is how late it is at least.
	nowMs int64
}

// steps returns the states that a lease can be in after an operation had that answer: none if it is wrong.
func (l lease) steps(in input, out output, ttlMs int64) []lease {
	earliest := max(l.nowMs, in.callMs-slackMs)
	isFree := l.key == ""
	// Whether it may be alive at some moment of the operation, and whether it may have lapsed.
	mayLive := !isFree && earliest <= l.toMs+ttlMs
	mayHaveLapsed := isFree || out.returnMs > l.fromMs+ttlMs
	switch out.outcome {
	case granted:
		isLate := out.atMs < l.nowMs-slackMs || out.atMs < in.callMs-slackMs || out.atMs > out.returnMs
		hasLapsed := isFree || out.atMs > l.fromMs+ttlMs
		if isLate || (l.key != in.key && !hasLapsed) {
			return nil
		}
		return []lease{{in.key, out.atMs, out.atMs, max(l.nowMs, out.atMs)}}
	case refused:
		if !mayLive || l.key == in.key {
			return nil
		}
		return []lease{{l.key, max(l.fromMs, earliest-ttlMs), l.toMs, earliest}}
	case found:
		if isFree || out.key != l.key || out.atMs < l.fromMs || out.atMs > l.toMs || earliest > out.atMs+ttlMs {
			return nil
		}
		return []lease{{l.key, out.atMs, out.atMs, earliest}}
	case absent:
		if !mayHaveLapsed {
			return nil
		}
		if isFree {
			return []lease{{nowMs: earliest}}
		}
		return []lease{{l.key, l.fromMs, min(l.toMs, out.returnMs-ttlMs-1), max(earliest, l.fromMs+ttlMs+1)}}
	default:
		if in.kind == lookup || (l.key != in.key && !mayHaveLapsed) {
			return []lease{l}
		}
		return []lease{l, {in.key, earliest, out.returnMs, earliest}}
	}
}

// model is the rules of leases: each id is on its own.
func model(ttlMs int64) porcupine.Model {
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
