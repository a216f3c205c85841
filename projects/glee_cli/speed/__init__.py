"""How fast a model is, by job, and what each optimisation of it gains."""
