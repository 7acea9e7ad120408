// Package load generates load: many clients that make calls of one kind at the same time.
package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// callTimeout bounds one call. Every call that gets a response at all is far faster.
const callTimeout = 60 * time.Second

// Call makes one call, and returns an error if it fails or its response is wrong. Numbers count the
// calls of a run from 0.
type Call func(ctx context.Context, number int) error

// Result has the counts and latencies of the calls of a run.
type Result struct {
	Calls, Errors int
	Elapsed       time.Duration
	// FirstError is one of the errors.
	FirstError error
	latency    *hdrhistogram.Histogram
}

// PerSecond returns the number of calls per second.
func (r Result) PerSecond() float64 { return float64(r.Calls) / r.Elapsed.Seconds() }

// Percentile returns a percentile of the latency, in milliseconds.
func (r Result) Percentile(percent float64) float64 {
	return float64(r.latency.ValueAtQuantile(percent)) / 1000
}

// Max returns the maximum latency, in milliseconds.
func (r Result) Max() float64 { return float64(r.latency.Max()) / 1000 }

// Calls makes a number of calls. Each client makes its next call when its last one is done.
func Calls(clients, calls int, call Call) Result {
	return run(clients, func(number int) bool { return number < calls }, call)
}

// For makes calls for a duration.
func For(clients int, duration time.Duration, call Call) Result {
	end := time.Now().Add(duration)
	return run(clients, func(int) bool { return time.Now().Before(end) }, call)
}

// Until makes calls until done is closed.
func Until(done <-chan struct{}, clients int, call Call) Result {
	hasNext := func(int) bool {
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	return run(clients, hasNext, call)
}

// Burst makes all calls at once, each with a client of its own.
func Burst(calls int, call Call) Result { return Calls(calls, calls, call) }

func run(clients int, hasNext func(number int) bool, call Call) Result {
	var next atomic.Int64
	results := make([]Result, clients)
	started := time.Now()
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() { results[i] = runClient(&next, hasNext, call) })
	}
	group.Wait()
	total := Result{Elapsed: time.Since(started), latency: newHistogram()}
	for _, result := range results {
		total.add(result)
	}
	return total
}

// Then returns the sum of two results, one run after the other.
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

func runClient(next *atomic.Int64, hasNext func(number int) bool, call Call) Result {
	result := Result{latency: newHistogram()}
	for {
		number := int(next.Add(1) - 1)
		if !hasNext(number) {
			return result
		}
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
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

// newHistogram returns a histogram of microseconds with three significant digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, 2*callTimeout.Microseconds(), 3)
}
