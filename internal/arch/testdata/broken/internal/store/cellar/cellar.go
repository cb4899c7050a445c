// Package cellar is an adapter that its port's paragraph forgets.
package cellar // want room
