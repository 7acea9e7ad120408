package main

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// barWidth is how wide one bar is.
const barWidth = 14 * vg.Length(1)

var (
	floorColor = color.RGBA{R: 0xb0, G: 0xb8, B: 0xc4, A: 0xff}
	oursColor  = color.RGBA{R: 0xe8, G: 0x6a, B: 0x4a, A: 0xff}
)

// draw draws the processor time for a call and the median latency, each phase beside its floor.
func (r *report) draw(path string) error {
	cpu := func(r row) float64 { return r.CPU }
	latency := func(r row) float64 { return r.P50 }
	var plots [][]*plot.Plot
	for _, drawn := range []struct {
		title string
		value func(row) float64
	}{
		{"processor time of the server, microseconds for a call", cpu},
		{"latency at 64 clients, median in milliseconds", latency},
	} {
		drawn, err := r.bars(drawn.title, drawn.value)
		if err != nil {
			return err
		}
		plots = append(plots, []*plot.Plot{drawn})
	}
	image := vgsvg.New(24*vg.Centimeter, 20*vg.Centimeter)
	tiles := draw.Tiles{Rows: len(plots), Cols: 1, PadY: vg.Centimeter}
	canvases := plot.Align(plots, tiles, draw.New(image))
	for i := range plots {
		plots[i][0].Draw(canvases[i][0])
	}
	return load.Save(path, image)
}

func (r *report) bars(title string, value func(row) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	var names []string
	var floors, ours plotter.Values
	for _, phase := range phases {
		row := r.find(phase.name, "proto")
		if row.Floor == "" {
			continue
		}
		floor := r.floorOf(row)
		names = append(names, fmt.Sprintf("%s\n(floor %s)", phase.name, string(row.Floor[len(row.Floor)-1])))
		floors = append(floors, value(floor))
		ours = append(ours, value(row))
	}
	for i, bars := range []struct {
		name   string
		values plotter.Values
		color  color.Color
	}{{"floor", floors, floorColor}, {"coral-discovery", ours, oursColor}} {
		chart, err := plotter.NewBarChart(bars.values, barWidth)
		if err != nil {
			return nil, err
		}
		chart.Color = bars.color
		chart.LineStyle.Width = 0
		chart.Offset = barWidth * vg.Length(2*i-1) / 2
		p.Add(chart)
		p.Legend.Add(bars.name, chart)
	}
	p.Legend.Top = true
	p.NominalX(names...)
	p.X.Tick.Label.Font.Size = vg.Points(7)
	return p, nil
}

// floorOf returns the floor's row beside which one was measured.
func (r *report) floorOf(of row) row {
	for _, row := range r.Rows {
		key := of.key()
		key.server = of.Floor
		if row.key() == key {
			return row
		}
	}
	return row{}
}
