story: Somebody who signs in is no longer a device
start: 2024-03-04
definitions: life
introduce: no

Mon 09:00  @phone     Product Viewed  boots
           @phone      in anonymous
+5m        ada@phone   identify       email=ada@people.example
           ada         not in anonymous
