package harness

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // reads the databases of objects
)

// storageFolder makes a folder for a Worker's storage, in memory where the machine has /dev/shm:
// waiting for a disk tests nothing.
func storageFolder(t T) string {
	t.Helper()
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	folder, err := os.MkdirTemp(parent, "coral-discovery-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// Databases returns the SQLite files of all objects that were ever called.
func (w *Worker) Databases() []string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.Storage, "objects", "*", "*.sqlite"))
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// Stored returns the keys in the storage of all objects, and the number of alarms that are set.
func (w *Worker) Stored() (keys []string, alarms int) {
	w.t.Helper()
	for _, file := range w.Databases() {
		if filepath.Base(file) == "metadata.sqlite" {
			alarms += len(w.query(file, `SELECT 'alarm' FROM _cf_ALARM`))
		} else {
			keys = append(keys, w.query(file, `SELECT key FROM _cf_KV`)...)
		}
	}
	return keys, alarms
}

// query runs a query of one column on a database that workerd has open.
func (w *Worker) query(file, query string) []string {
	w.t.Helper()
	// A copy may be inconsistent if workerd writes meanwhile.
	const attempts = 10
	var err error
	for range attempts {
		var rows []string
		if rows, err = queryCopy(w.t.TempDir(), file, query); err == nil {
			return rows
		}
	}
	w.t.Fatalf("%s: %v", file, err)
	return nil
}

// queryCopy copies a database with its write-ahead log, and runs a query on the copy. A missing
// table has no rows.
func queryCopy(folder, file, query string) ([]string, error) {
	for _, suffix := range []string{"-wal", ""} {
		content, err := os.ReadFile(file + suffix)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		copied := filepath.Join(folder, "copy"+suffix)
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			return nil, err
		}
	}
	database, err := sql.Open("sqlite", filepath.Join(folder, "copy"))
	if err != nil {
		return nil, err
	}
	defer database.Close()
	result, err := database.Query(query)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return nil, nil
		}
		return nil, err
	}
	defer result.Close()
	var rows []string
	for result.Next() {
		var row string
		if err := result.Scan(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, result.Err()
}
