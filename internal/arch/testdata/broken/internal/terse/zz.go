// Package terse stops.
package terse
