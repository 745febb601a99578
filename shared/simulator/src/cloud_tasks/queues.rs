//! The queues and their tasks: what is there, what is due, what became of it. Nobody calls anybody here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::ask::{Asked, New};
use super::retry::Retry;

/// One attempt that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The last part of the task's name.
    pub task: String,
    /// From 1.
    pub attempt: u32,
    /// What the handler answered; absent where it did not.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// A task that was given up after its last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The last part of the task's name.
    pub task: String,
    pub body: Vec<u8>,
    pub attempts: u32,
    /// The last answer, where there was one.
    pub status: Option<u16>,
}

/// What a task's request is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) method: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
    pub(super) oidc: Option<Oidc>,
}

/// Whose token goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Oidc {
    pub(super) email: String,
    pub(super) audience: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) target: Target,
    pub(super) scheduled: Timestamp,
    pub(super) created: Timestamp,
    pub(super) deadline: Duration,
    /// How often it was dispatched, was answered, and was answered by something but a 5xx.
    pub(super) dispatches: u32,
    pub(super) responses: u32,
    pub(super) executions: u32,
    pub(super) previous: Option<u16>,
    pub(super) under_way: bool,
}

impl Task {
    /// The last part of the name.
    pub(super) fn id(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) paused: bool,
    tasks: BTreeMap<String, Task>,
    /// Names are taken for as long as the queue is watched; with Google for hours after the task has ended.
    taken: BTreeSet<String>,
    dispatches: Vec<Dispatch>,
    dropped: Vec<Dropped>,
}

/// What the queue has to say against a question, in Google's words: code, status, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: u16,
    pub(super) status: &'static str,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }
}

/// All queues.
#[derive(Debug)]
pub(super) struct Queues {
    queues: BTreeMap<String, Queue>,
    pub(super) retry: Retry,
    pub(super) concurrent: u32,
    /// Instead of the tasks' own.
    deadline: Option<Duration>,
    made: u64,
}

impl Queues {
    pub(super) fn new(retry: Retry, concurrent: u32, deadline: Option<Duration>) -> Self {
        Self { queues: BTreeMap::new(), retry, concurrent, deadline, made: 0 }
    }

    pub(super) fn create(&mut self, queue: &str) {
        self.queues.entry(queue.to_owned()).or_default();
    }

    pub(super) fn queue(&mut self, queue: &str) -> Result<&mut Queue, Refused> {
        self.queues.get_mut(queue).ok_or_else(|| {
            Refused::new(
                404,
                "NOT_FOUND",
                "Queue does not exist. If you just created the queue, wait at least a minute for the queue to initialize.",
            )
        })
    }

    pub(super) fn add(&mut self, asked: &Asked, new: New, now: Timestamp) -> Result<Task, Refused> {
        self.made += 1;
        let made = self.made;
        let deadline = self.deadline.unwrap_or(new.deadline);
        let queue = self.queue(&asked.queue)?;
        // Ids of the system's own are long numbers.
        let id = new.id.unwrap_or_else(|| format!("{:019}", 1_000_000_000_000_000_000 + made));
        if !queue.taken.insert(id.clone()) {
            return Err(Refused::new(409, "ALREADY_EXISTS", "Requested entity already exists"));
        }
        let task = Task {
            name: format!("{}/tasks/{id}", asked.queue),
            target: new.target,
            // One for the past is due now.
            scheduled: new.scheduled.map_or(now, |at| at.max(now)),
            created: now,
            deadline,
            dispatches: 0,
            responses: 0,
            executions: 0,
            previous: None,
            under_way: false,
        };
        queue.tasks.insert(id, task.clone());
        Ok(task)
    }

    pub(super) fn get(&mut self, asked: &Asked) -> Result<Task, Refused> {
        let queue = self.queue(&asked.queue)?;
        queue.tasks.get(&asked.task).cloned().ok_or_else(|| gone(queue, &asked.task))
    }

    pub(super) fn list(&mut self, asked: &Asked) -> Result<Vec<Task>, Refused> {
        Ok(self.queue(&asked.queue)?.tasks.values().cloned().collect())
    }

    pub(super) fn delete(&mut self, asked: &Asked) -> Result<(), Refused> {
        let queue = self.queue(&asked.queue)?;
        queue.tasks.remove(&asked.task).map(drop).ok_or_else(|| gone(queue, &asked.task))
    }

    /// What is to be dispatched now, oldest first; it counts as dispatched from here on.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<(String, Task)> {
        let mut due = Vec::new();
        let most = usize::try_from(self.concurrent).unwrap_or(usize::MAX);
        for (name, queue) in &mut self.queues {
            if queue.paused {
                continue;
            }
            let under_way = queue.tasks.values().filter(|task| task.under_way).count();
            let mut ready: Vec<&mut Task> =
                queue.tasks.values_mut().filter(|task| !task.under_way && task.scheduled <= now).collect();
            ready.sort_by(|one, other| (one.scheduled, &one.name).cmp(&(other.scheduled, &other.name)));
            for task in ready.into_iter().take(most.saturating_sub(under_way)) {
                task.under_way = true;
                task.dispatches += 1;
                due.push((name.clone(), task.clone()));
            }
        }
        due
    }

    /// When to look again, as far as the clock decides it.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let queues = self.queues.values().filter(|queue| !queue.paused);
        let waiting = queues.flat_map(|queue| queue.tasks.values()).filter(|task| !task.under_way);
        waiting.map(|task| task.scheduled).min()
    }

    /// What became of an attempt.
    pub(super) fn ended(&mut self, queue: &str, task: &Task, answered: Result<u16, String>, now: Timestamp) {
        let retry = self.retry;
        let Some(queue) = self.queues.get_mut(queue) else { return };
        let id = task.id().to_owned();
        let status = answered.as_ref().ok().copied();
        let dispatch = Dispatch { task: id.clone(), attempt: task.dispatches, status, error: answered.err() };
        queue.dispatches.push(dispatch);
        // It may have been deleted meanwhile.
        let Some(kept) = queue.tasks.get_mut(&id) else { return };
        kept.under_way = false;
        kept.previous = status;
        kept.responses += u32::from(status.is_some());
        kept.executions += u32::from(status.is_some_and(|status| status < 500));
        if status.is_some_and(|status| (200..300).contains(&status)) {
            queue.tasks.remove(&id);
            return;
        }
        match retry.after(kept.dispatches) {
            Some(wait) => kept.scheduled = now.checked_add(wait).unwrap_or(Timestamp::MAX),
            None => {
                let Task { target, dispatches, .. } = kept.clone();
                queue.tasks.remove(&id);
                let dropped = Dropped { task: id, body: target.body, attempts: dispatches, status };
                queue.dropped.push(dropped);
            }
        }
    }

    pub(super) fn left(&self, queue: &str) -> usize {
        self.queues.get(queue).map_or(0, |queue| queue.tasks.len())
    }

    pub(super) fn not_held_back(&self, queue: &str) -> usize {
        let now = Timestamp::now();
        let due = |task: &&Task| task.scheduled <= now;
        self.queues.get(queue).map_or(0, |queue| queue.tasks.values().filter(due).count())
    }

    pub(super) fn dispatches(&self, queue: &str) -> Vec<Dispatch> {
        self.queues.get(queue).map(|queue| queue.dispatches.clone()).unwrap_or_default()
    }

    pub(super) fn dropped(&self, queue: &str) -> Vec<Dropped> {
        self.queues.get(queue).map(|queue| queue.dropped.clone()).unwrap_or_default()
    }

    pub(super) fn pause(&mut self, queue: &str, paused: bool) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.paused = paused;
        }
    }

    pub(super) fn hurry(&mut self, queue: &str) {
        let now = Timestamp::now();
        for task in self.queues.get_mut(queue).into_iter().flat_map(|queue| queue.tasks.values_mut()) {
            task.scheduled = task.scheduled.min(now);
        }
    }
}

fn gone(queue: &Queue, id: &str) -> Refused {
    let why = if queue.taken.contains(id) {
        "The task no longer exists, though a task with this name existed recently. The task either successfully completed or was deleted."
    } else {
        "Requested entity was not found."
    };
    Refused::new(404, "NOT_FOUND", why)
}
