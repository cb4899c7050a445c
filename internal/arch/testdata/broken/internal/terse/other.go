// This is about something else than the package it stands in.
package terse // want package-comment
