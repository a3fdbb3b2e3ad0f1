"""From the history of births and pupils to the rates of the coming years."""
