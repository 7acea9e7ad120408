package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// measuredLeases is the number of leases that calls are about. Their objects stay in memory,
	// however many other leases there are.
	measuredLeases = 100
	// growthDuration is the duration of one measurement.
	growthDuration = 3 * time.Second
	// maxGrowth is the ratio by which the processor time of a call may grow: the noise of a machine
	// with other work.
	maxGrowth = 1.35
)

// sizes are numbers of live leases.
var sizes = []int{100, 1_000, 10_000, 30_000}

// growth measures the processor time of calls with a growing number of leases.
func growth(t *harness.Program, options options, checks *load.Checks) {
	var lines []any
	for _, routing := range routingNames {
		lines = append(lines, growthOf(t, routing, checks)...)
	}
	if options.plot != "" {
		if err := drawGrowth(options.plot, lines); err != nil {
			t.Fatal(err)
		}
	}
}

// growthOf measures one routing. It returns the names and points of the lines to draw.
func growthOf(t *harness.Program, routing string, checks *load.Checks) (lines []any) {
	worker := start(t, routings[routing], "CACHE_HOT_LOOKUPS_PER_MINUTE=0",
		"DEFAULT_TTL_SECONDS=3600")
	client := load.NewClient(worker.URL, 64)
	name := func(number int) string { return fmt.Sprintf("growth-%d", number) }
	kinds := []struct {
		name   string
		call   load.Call
		points plotter.XYs
	}{
		{name: "lookup", call: func(ctx context.Context, number int) error {
			return client.Lookup(ctx, name(number%measuredLeases), number%measuredLeases)
		}},
		{name: "renewal", call: func(ctx context.Context, number int) error {
			number %= measuredLeases
			return client.Register(ctx, load.Colony(name(number), number))
		}},
	}
	errors, registered := 0, 0
	for _, size := range sizes {
		progress("%d leases, %s", size, routing)
		first := registered
		// workerd closes an object after ten idle seconds: the rate bounds the open objects.
		limiter := rate.NewLimiter(rate.Inf, 1)
		if routing == perLease {
			limiter = rate.NewLimiter(rate.Limit(harness.MaxOpenObjects()/15), 1)
		}
		errors += load.Calls(64, size-first, func(ctx context.Context, number int) error {
			if err := limiter.Wait(ctx); err != nil {
				return err
			}
			return client.Register(ctx, load.Colony(name(first+number), first+number))
		}).Errors
		registered = size
		worker.WaitUntilIdle()
		for i, kind := range kinds {
			load.For(64, growthDuration/3, kind.call)
			before := worker.Usage().CPU
			result := load.For(64, growthDuration, kind.call)
			errors += result.Errors
			cpu := float64((worker.Usage().CPU - before).Microseconds()) / float64(result.Calls)
			kinds[i].points = append(kinds[i].points, plotter.XY{X: float64(size), Y: cpu})
		}
	}
	for _, kind := range kinds {
		fewest, most := kind.points[0].Y, kind.points[len(sizes)-1].Y
		checks.Expect(errors == 0 && most <= maxGrowth*fewest,
			"%s, %s: %s us/call with %v leases; %d errors",
			kind.name, routing, formatValues(kind.points), sizes, errors)
		lines = append(lines, fmt.Sprintf("%s, %s", kind.name, routing), kind.points)
	}
	worker.Kill()
	return lines
}

func formatValues(points plotter.XYs) string {
	text := ""
	for _, point := range points {
		text += fmt.Sprintf("%.0f ", point.Y)
	}
	return text[:len(text)-1]
}

func drawGrowth(path string, lines []any) error {
	p := plot.New()
	p.Title.Text = "processor time of the server by the number of live leases"
	p.X.Label.Text, p.Y.Label.Text = "live leases", "microseconds per call"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 0}
	p.Y.Min = 0
	if err := plotutil.AddLinePoints(p, lines...); err != nil {
		return err
	}
	image, err := p.WriterTo(20*vg.Centimeter, 12*vg.Centimeter, "svg")
	if err != nil {
		return err
	}
	return load.SaveImage(path, image)
}
