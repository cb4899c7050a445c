// Package gossip has no place in the order of the data.
package gossip // want core-order
