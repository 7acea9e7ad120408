// Package load makes load: calls of one kind by many clients at once.
package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// patience is how long one call may take: far longer than any does that is answered at all.
const patience = 60 * time.Second

// Call makes the call of that number, counted from 0, and returns what is wrong with its answer.
type Call func(ctx context.Context, number int) error

// Result is what became of a number of calls.
type Result struct {
	Calls, Errors int
	Elapsed       time.Duration
	// FirstError is one of the errors.
	FirstError error
	latency    *hdrhistogram.Histogram
}

// PerSecond is how many calls were answered in a second.
func (r Result) PerSecond() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// Quantile returns the latency, in milliseconds, that so many percent of the calls stayed below.
func (r Result) Quantile(percent float64) float64 {
	return float64(r.latency.ValueAtQuantile(percent)) / 1000
}

// Max is the longest latency in milliseconds.
func (r Result) Max() float64 { return float64(r.latency.Max()) / 1000 }

// Calls has so many clients make so many calls, each the next as soon as its last is answered.
func Calls(clients, calls int, call Call) Result {
	return run(clients, func(number int) bool { return number < calls }, call)
}

// For has so many clients make calls for that long.
func For(clients int, duration time.Duration, call Call) Result {
	end := time.Now().Add(duration)
	return run(clients, func(int) bool { return time.Now().Before(end) }, call)
}

// Until has so many clients make calls until another load is done.
func Until(done <-chan struct{}, clients int, call Call) Result {
	isDue := func(int) bool {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	return run(clients, isDue, call)
}

// Burst makes that many calls all at once, each by a client of its own.
func Burst(calls int, call Call) Result { return Calls(calls, calls, call) }

func run(clients int, isDue func(int) bool, call Call) Result {
	var next atomic.Int64
	results := make([]Result, clients)
	started := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { results[i] = client(&next, isDue, call) })
	}
	all.Wait()
	total := Result{Elapsed: time.Since(started), latency: newHistogram()}
	for _, result := range results {
		total.add(result)
	}
	return total
}

// Then is both results, one after the other.
func (r Result) Then(next Result) Result {
	total := Result{Elapsed: r.Elapsed + next.Elapsed, latency: newHistogram()}
	for _, result := range []Result{r, next} {
		if result.latency != nil {
			total.add(result)
		}
	}
	return total
}

func (r *Result) add(part Result) {
	r.Calls += part.Calls
	r.Errors += part.Errors
	r.latency.Merge(part.latency)
	if r.FirstError == nil {
		r.FirstError = part.FirstError
	}
}

func client(next *atomic.Int64, isDue func(int) bool, call Call) Result {
	result := Result{latency: newHistogram()}
	for {
		number := int(next.Add(1) - 1)
		if !isDue(number) {
			return result
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		started := time.Now()
		err := call(ctx, number)
		cancel()
		result.Calls++
		_ = result.latency.RecordValue(time.Since(started).Microseconds())
		if err != nil {
			result.Errors++
			result.FirstError = err
		}
	}
}

// newHistogram is of microseconds, to three digits, up to what a call may take.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, 2*patience.Microseconds(), 3)
}
