package harness

import (
	"os"
	"path/filepath"
	"sync"
)

// rootMarker is a file that only the project's root folder has.
const rootMarker = "wrangler.toml"

// findRoot searches the working directory and its parents: `go test` runs tests in the folder of
// their package, and xtask runs programs in tests/go.
var findRoot = sync.OnceValues(func() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, rootMarker)); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", os.ErrNotExist
		}
		folder = parent
	}
})

// Path returns the absolute path of a file or folder, given from the project's root.
func Path(elements ...string) string {
	root, err := findRoot()
	if err != nil {
		panic("no folder above the working directory has " + rootMarker + ": " + err.Error())
	}
	return filepath.Join(append([]string{root}, elements...)...)
}
