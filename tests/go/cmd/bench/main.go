// Command bench measures the built Worker beside the platform's floors, in one run. The floors are
// two small workers with constant responses: A without an object, and B with one. The comparison is
// by the server's processor time per call.
package main

import (
	"flag"
	"fmt"
	"regexp"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func main() {
	var (
		url = flag.String("url", "",
			"measure this deployment from here, without floors")
		rounds = flag.Int("rounds", 3,
			"number of rounds; results are their medians")
		duration = flag.Duration("duration", 1500*time.Millisecond,
			"duration of one measurement")
		json = flag.String("json", "",
			"write all results to this file")
		only = flag.String("only", "",
			"measure only phases whose names match this expression")
		plot = flag.String("plot", "",
			"draw processor time and latency to this file (SVG)")
		before = flag.String("before", "",
			"measure another build in the same turns: the path of its checkout's xtask")
	)
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		if *url != "" {
			return measureRemote(*url, *duration)
		}
		names, err := regexp.Compile(*only)
		if err != nil {
			program.Fatal(err)
		}
		report := run(program, names, *before, *rounds, *duration)
		fmt.Println(report.table())
		for path, write := range map[string]func(string) error{
			*json: report.write,
			*plot: report.draw,
		} {
			if path == "" {
				continue
			}
			if err := write(path); err != nil {
				program.Fatal(err)
			}
		}
		fmt.Println(report.verdicts())
		return 0
	})
}

func run(
	t *harness.Program, only *regexp.Regexp, before string, rounds int, duration time.Duration,
) *report {
	b := &bench{
		servers:   map[role]*harness.Worker{},
		hasBefore: before != "",
		duration:  duration,
		samples:   map[variantKey][]sample{},
		toFloor:   map[variantKey][]float64{},
		toBefore:  map[variantKey][]float64{},
	}
	report := &report{Rounds: rounds, StartA: startTime(t, floorA), Start: startTime(t, uncached)}
	var err error
	if report.BundleBytes, err = bundleBytes(); err != nil {
		t.Fatal(err)
	}
	roles := []role{floorA, floorB, uncached, hot, shards}
	for _, role := range roles {
		b.servers[role] = start(t, role)
		if b.hasBefore && !role.isFloor() {
			b.servers[role.before()] = startBefore(t, before, role)
			roles = append(roles, role.before())
		}
	}
	for _, role := range roles {
		result := registerAll(b.client(role, "json", 16))
		if result.FirstError != nil && !role.isFloor() {
			t.Fatalf("%s: %v", role, result.FirstError)
		}
	}
	all := variants(only)
	for round := range rounds {
		b.round(round, all)
	}
	report.Rows = b.rows(all)
	report.judge()
	return report
}
