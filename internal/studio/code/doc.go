// Package code draws what a till reads from a telephone: EAN-13, Code 128 and QR.
//
// A code is a picture of black and white modules with its quiet zone, so that it
// stays readable on a dark page. Each kind has one size on the screen, which fits
// the narrowest one, 320 px; the picture has twice as many pixels for sharp
// screens, and a module is a whole number of pixels on both. What would need
// modules too narrow to be read there is refused, with what to do instead.
package code
