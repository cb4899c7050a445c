// Package attic is where nobody looks.
package attic // want room
