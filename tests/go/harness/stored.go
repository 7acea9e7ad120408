package harness

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // reads what objects stored
)

// Stored looks into the storage of all objects and returns the keys under which they keep something
// and how many alarms are set.
func (w *Worker) Stored() (keys []string, alarms int) {
	w.t.Helper()
	for _, file := range w.Databases() {
		query, take := `SELECT key FROM _cf_KV`, func(key string) {
			keys = append(keys, key)
		}
		if filepath.Base(file) == "metadata.sqlite" {
			query, take = `SELECT 'alarm' FROM _cf_ALARM`, func(string) { alarms++ }
		}
		rows, err := w.query(file, query)
		if err != nil {
			w.t.Fatalf("%s: %v", file, err)
		}
		for _, row := range rows {
			take(row)
		}
	}
	return keys, alarms
}

// query asks a copy of a database that workerd has open, with its log of what is not yet in it.
// A copy that was made in the middle of a write is made again.
func (w *Worker) query(file, query string) (rows []string, err error) {
	for range 10 {
		if rows, err = queryCopy(w.t.TempDir(), file, query); err == nil {
			return rows, nil
		}
	}
	return nil, err
}

func queryCopy(folder, file, query string) ([]string, error) {
	for _, suffix := range []string{"-wal", ""} {
		content, err := os.ReadFile(file + suffix)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(folder, "copy"+suffix), content, 0o600); err != nil {
			return nil, err
		}
	}
	database, err := sql.Open("sqlite", filepath.Join(folder, "copy"))
	if err != nil {
		return nil, err
	}
	defer database.Close()
	found, err := database.Query(query)
	if err != nil {
		if strings.Contains(err.Error(), "no such table") {
			return nil, nil
		}
		return nil, err
	}
	defer found.Close()
	var rows []string
	for found.Next() {
		var row string
		if err := found.Scan(&row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}
