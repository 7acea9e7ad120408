package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/load"
)

// firsts is how many registrations of new colonies one measurement of them has.
const firsts = 1_000

// variant is one way of making the calls of a phase.
type variant struct {
	Phase   string `json:"phase"`
	Server  role   `json:"server"`
	Codec   string `json:"codec"`
	Keys    string `json:"keys"`
	Clients int    `json:"clients"`
	phase   phase
}

// sample is one measurement.
type sample struct {
	PerSecond float64 `json:"calls_per_second"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
	CPU       float64 `json:"server_cpu_us_per_call"`
	RSS       float64 `json:"rss_mib"`
	Errors    int     `json:"errors"`
}

// row is what a variant came to: the medians of its rounds.
type row struct {
	variant
	sample
	// Ratio is the median of the rounds' ratios of CPU to that of the floor in the same round; 0 for floors.
	Ratio float64 `json:"ratio_to_floor"`
	Floor role    `json:"floor,omitempty"`
}

// variants are all that is measured: each phase in both codecs, and the lookups with other keys and clients.
// Only phases whose names match count.
func variants(only *regexp.Regexp) []variant {
	var all []variant
	add := func(phase phase, server role, codec, keys string, clients int) {
		all = append(all, variant{phase.name, server, codec, keys, clients, phase})
	}
	for _, phase := range phases {
		if !only.MatchString(phase.name) {
			continue
		}
		for _, codec := range []string{"json", "proto"} {
			add(phase, phase.server, codec, "uniform", 64)
			if phase.server == uncached {
				add(phase, shards, codec, "uniform", 64)
			}
			if phase.name == "lookup, uncached" || phase.name == "lookup, hot" {
				add(phase, phase.server, codec, "zipf", 64)
				add(phase, phase.server, codec, "uniform", 1)
				add(phase, phase.server, codec, "uniform", 256)
			}
		}
	}
	return all
}

// bench runs all variants, round by round, each beside its floor.
type bench struct {
	servers  map[role]*harness.Worker
	duration time.Duration
	samples  map[variantKey][]sample
	ratios   map[variantKey][]float64
}

// variantKey tells variants apart.
type variantKey struct {
	phase, codec, keys string
	server             role
	clients            int
}

func (v variant) key() variantKey { return variantKey{v.Phase, v.Codec, v.Keys, v.Server, v.Clients} }

func (b *bench) client(who role, codec string, calls int) load.Client {
	var options []connect.ClientOption
	if codec == "json" {
		options = append(options, connect.WithProtoJSON())
	}
	return load.NewClient(b.servers[who].URL, calls, options...)
}

// round measures every variant once. Floor and Worker take turns within each variant.
func (b *bench) round(number int, all []variant) {
	for i, v := range all {
		fmt.Fprintf(os.Stderr, "\rround %d: %d of %d: %-70s", number+1, i+1, len(all),
			fmt.Sprintf("%s, %s, %s, %s keys, %d clients", v.Phase, v.Server, v.Codec, v.Keys, v.Clients))
		floor := b.measure(v, v.phase.floor, number)
		ours := b.measure(v, v.Server, number)
		floorVariant := v
		floorVariant.Server = v.phase.floor
		b.samples[floorVariant.key()] = append(b.samples[floorVariant.key()], floor)
		b.samples[v.key()] = append(b.samples[v.key()], ours)
		b.ratios[v.key()] = append(b.ratios[v.key()], ours.CPU/floor.CPU)
	}
	fmt.Fprintf(os.Stderr, "\r%-110s\r", "")
}

func (b *bench) measure(v variant, who role, number int) sample {
	worker := b.servers[who]
	among := keys
	if v.Server == hot {
		among = hotKeys
	}
	pick := load.Uniform(among)
	if v.Keys == "zipf" {
		pick = load.Zipf(among)
	}
	call := v.phase.call(b.client(who, v.Codec, v.Clients), target{
		isFloor: who == floorA || who == floorB,
		round:   fmt.Sprintf("%d-%s-%s", number, v.Codec, v.Server),
		pick:    pick,
	})
	if !v.phase.first {
		// Objects that were not called for ten seconds start anew, and what was hot is not any more.
		load.For(v.Clients, b.duration/2, call)
	}
	var result load.Result
	before := worker.Usage()
	if v.phase.first {
		result = load.Calls(v.Clients, firsts, call)
		// What a birth leaves to alarms is part of what it costs.
		worker.Settle()
	} else {
		result = load.For(v.Clients, b.duration, call)
	}
	after := worker.Usage()
	if result.FirstError != nil {
		fmt.Fprintf(os.Stderr, "\n%s on %s: %v\n", v.Phase, who, result.FirstError)
	}
	return sample{
		PerSecond: result.PerSecond(),
		P50:       result.Quantile(50),
		P95:       result.Quantile(95),
		P99:       result.Quantile(99),
		Max:       result.Max(),
		CPU:       float64((after.CPU - before.CPU).Microseconds()) / float64(result.Calls),
		RSS:       load.MiB(after.RSS),
		Errors:    result.Errors,
	}
}

// rows are the medians, each floor once before what is compared with it.
func (b *bench) rows(all []variant) []row {
	var rows []row
	for _, v := range all {
		floor := v
		floor.Server = v.phase.floor
		if !slices.ContainsFunc(rows, func(r row) bool { return r.key() == floor.key() }) {
			rows = append(rows, row{variant: floor, sample: medians(b.samples[floor.key()])})
		}
		rows = append(rows, row{
			variant: v,
			sample:  medians(b.samples[v.key()]),
			Ratio:   median(b.ratios[v.key()]),
			Floor:   v.phase.floor,
		})
	}
	return rows
}

func medians(samples []sample) sample {
	of := func(pick func(sample) float64) float64 {
		var values []float64
		for _, each := range samples {
			values = append(values, pick(each))
		}
		return median(values)
	}
	var all sample
	for _, each := range samples {
		all.Errors += each.Errors
	}
	all.PerSecond = of(func(s sample) float64 { return s.PerSecond })
	all.P50 = of(func(s sample) float64 { return s.P50 })
	all.P95 = of(func(s sample) float64 { return s.P95 })
	all.P99 = of(func(s sample) float64 { return s.P99 })
	all.Max = of(func(s sample) float64 { return s.Max })
	all.CPU = of(func(s sample) float64 { return s.CPU })
	all.RSS = of(func(s sample) float64 { return s.RSS })
	return all
}

func median[N cmp.Ordered](values []N) N {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
