"""The front end of the template: generate a project, look at an update before it happens, and update.

It only wraps Copier, whose own `copier copy` and `copier update` work on the same projects.
"""
