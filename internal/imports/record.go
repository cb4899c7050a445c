package imports

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"rapport/internal/durable"
)

// readRecord reads what writeRecord wrote; false: there is no such file.
func readRecord(path string, v any) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	return err == nil, err
}

// writeRecord makes a record durable: whole or not at all.
func writeRecord(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err // unreachable: texts and numbers only
	}
	return durable.Write(path, append(b, '\n'))
}
