package duckdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"rapport/internal/fault"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// translate makes a fault of an error of DuckDB's, with what was being done.
func translate(err error, doing string) error {
	if err == nil {
		return nil
	}
	if kind, _ := fault.Of(err); kind != fault.Internal {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e, ok := errors.AsType[*duckdb.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", doing, err)
	}
	switch e.Type {
	case duckdb.ErrorTypeIO:
		if strings.Contains(e.Msg, "lock") {
			return fault.Wrap(fault.Conflict, err, "another process has the warehouse open")
		}
	case duckdb.ErrorTypeSerialization, duckdb.ErrorTypeFatal:
		return fault.Wrap(fault.Corrupt, err, "the file of the warehouse is damaged; delete its folder and the feed is read anew")
	case duckdb.ErrorTypeOutOfMemory:
		return fault.Wrap(fault.TooLarge, err, "the warehouse has too little memory for that")
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refusal makes a fault of what DuckDB said of a query that somebody sent: the
// message is about their SQL and safe to show.
func refusal(err error) error {
	e, ok := errors.AsType[*duckdb.Error](err)
	if !ok || err == nil {
		return translate(err, "running a query")
	}
	message := e.Msg[:min(len(e.Msg), maxMessage)]
	if message == "" { // an argument was not taken, and DuckDB does not say why
		message = "an argument of the query does not fit where its ? stands"
	}
	switch e.Type {
	case duckdb.ErrorTypePermission:
		return fault.New(fault.Denied, "SQL reads the tables of the warehouse and nothing else: "+message)
	case duckdb.ErrorTypeOutOfMemory:
		return fault.New(fault.TooLarge, "the query needs more memory than it may take; narrow it, group by less, or make smaller values")
	case duckdb.ErrorTypeIO, duckdb.ErrorTypeFatal, duckdb.ErrorTypeInternal, duckdb.ErrorTypeSerialization:
		return translate(err, "running a query")
	case duckdb.ErrorTypeInterrupt:
		return errTime
	}
	return fault.New(fault.Invalid, message)
}

// maxMessage bounds what is shown of DuckDB's words, which repeat the query.
const maxMessage = 600

var errTime = fault.New(fault.TooLarge, "the query took longer than its limit; narrow it, or ask for more time")
