"""What can go wrong here and nowhere else.

NotFound
  TaskNotServed    task_not_served    404
"""

from service_kit.errors import NotFound


class TaskNotServed(NotFound):
    """This instance was started without the task; another one serves it."""

    code = "task_not_served"
    title = "This instance does not serve the task"
