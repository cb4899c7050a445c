// Package sql belongs to the adapter.
package sql
