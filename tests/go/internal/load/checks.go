package load

import (
	"fmt"
	"io"
	"os"
)

// Findings are what was promised and looked at.
type Findings struct{ All, Broken int }

// Expect notes whether something is as promised, and prints it.
func (f *Findings) Expect(holds bool, format string, arguments ...any) {
	f.All++
	mark := "ok    "
	if !holds {
		f.Broken++
		mark = "BROKEN"
	}
	fmt.Printf("%s  %s\n", mark, fmt.Sprintf(format, arguments...))
}

// MiB is what so many bytes are in MiB.
func MiB(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// Save writes a picture into a file.
func Save(path string, picture io.WriterTo) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := picture.WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}
