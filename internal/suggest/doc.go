// Package suggest knows what customers look at now.
package suggest
