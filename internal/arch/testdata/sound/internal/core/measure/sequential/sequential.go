// Package sequential belongs to measure.
package sequential
