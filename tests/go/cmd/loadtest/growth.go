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
	// called is how many of the leases are called: what is called is in memory, however many others there are.
	called = 100
	// growing is for how long each number of leases is measured.
	growing = 3 * time.Second
	// flat is by how much a call may cost more among most leases than among fewest, the noise of a machine
	// that does other things too.
	flat = 1.35
)

// sizes are numbers of live leases.
var sizes = []int{100, 1_000, 10_000, 30_000}

// growth measures what a call costs among more and more leases.
func growth(t *harness.Program, options options, findings *load.Findings) {
	var lines []any
	for _, routing := range routingNames {
		worker := start(t, routings[routing], "CACHE_HOT_LOOKUPS_PER_MINUTE=0", "DEFAULT_TTL_SECONDS=3600")
		client := load.NewClient(worker.URL, 64)
		name := func(number int) string { return fmt.Sprintf("grown-%d", number) }
		lookup := load.Call(func(ctx context.Context, number int) error {
			return client.Lookup(ctx, name(number%called), number%called)
		})
		renewal := load.Call(func(ctx context.Context, number int) error {
			return client.Register(ctx, load.Colony(name(number%called), number%called))
		})
		lookups, renewals := plotter.XYs{}, plotter.XYs{}
		errors, registered := 0, 0
		for _, size := range sizes {
			progress("%d leases, %s", size, routing)
			from := registered
			// An object is closed after ten seconds in which nobody asked it: not more are in use than may be.
			limit := rate.NewLimiter(rate.Inf, 1)
			if routing == perLease {
				limit = rate.NewLimiter(rate.Limit(harness.MostObjects()/15), 1)
			}
			errors += load.Calls(64, size-from, func(ctx context.Context, number int) error {
				if err := limit.Wait(ctx); err != nil {
					return err
				}
				return client.Register(ctx, load.Colony(name(from+number), from+number))
			}).Errors
			registered = size
			worker.Settle()
			for _, measured := range []struct {
				call  load.Call
				costs *plotter.XYs
			}{{lookup, &lookups}, {renewal, &renewals}} {
				load.For(64, growing/3, measured.call)
				before := worker.Usage().CPU
				result := load.For(64, growing, measured.call)
				errors += result.Errors
				cost := float64((worker.Usage().CPU - before).Microseconds()) / float64(result.Calls)
				*measured.costs = append(*measured.costs, plotter.XY{X: float64(size), Y: cost})
			}
		}
		for _, measured := range []struct {
			what  string
			costs plotter.XYs
		}{{"lookup", lookups}, {"renewal", renewals}} {
			least, most := measured.costs[0].Y, measured.costs[len(sizes)-1].Y
			findings.Expect(errors == 0 && most <= flat*least,
				"%s, %s: %s us/call among %v leases; %d errors", measured.what, routing, costs(measured.costs), sizes, errors)
			lines = append(lines, fmt.Sprintf("%s, %s", measured.what, routing), measured.costs)
		}
		worker.Kill()
	}
	if options.plot != "" {
		if err := drawGrowth(options.plot, lines); err != nil {
			t.Fatal(err)
		}
	}
}

func costs(points plotter.XYs) string {
	text := ""
	for _, point := range points {
		text += fmt.Sprintf("%.0f ", point.Y)
	}
	return text[:len(text)-1]
}

func drawGrowth(path string, lines []any) error {
	p := plot.New()
	p.Title.Text = "processor time of the server by the number of live leases"
	p.X.Label.Text, p.Y.Label.Text = "live leases", "microseconds for a call"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 0}
	p.Y.Min = 0
	if err := plotutil.AddLinePoints(p, lines...); err != nil {
		return err
	}
	image, err := p.WriterTo(20*vg.Centimeter, 12*vg.Centimeter, "svg")
	if err != nil {
		return err
	}
	return load.Save(path, image)
}
