"""The whole chain: inputs -> rates -> population -> enrolment -> places."""
