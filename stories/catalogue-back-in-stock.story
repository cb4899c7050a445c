story: What was sold out is back, and whoever has bought it meanwhile hears nothing
start: 2024-03-04
journeys: back

Mon 09:00  ada  Consent Given           email
           bob  Consent Given           email
           bob  Order Completed         lamp@50.00  channel=till
Mon 10:00  ada  Product Back In Stock  lamp@50.00  interest=wished stock=12
           ada  -> mail note
           bob  Product Back In Stock  lamp@50.00  interest=wished stock=12
           bob  -> dropped note  just-bought
