package load

import (
	"fmt"
	"io"
	"os"
)

// Checks counts checks and those that failed.
type Checks struct{ All, Failed int }

// Expect counts a check, and prints its result.
func (c *Checks) Expect(ok bool, format string, arguments ...any) {
	c.All++
	mark := "ok    "
	if !ok {
		c.Failed++
		mark = "FAILED"
	}
	fmt.Printf("%s  %s\n", mark, fmt.Sprintf(format, arguments...))
}

// MiB converts bytes to MiB.
func MiB(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// SaveImage writes an image to a file.
func SaveImage(path string, image io.WriterTo) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := image.WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}
