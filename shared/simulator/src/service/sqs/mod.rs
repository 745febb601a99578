//! SQS: queues with delays, visibility and dead letters, as far as a sweep uses them.

mod messages;
mod queues;

use super::{Answered, unknown};
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::world::{Queue, World};

pub(super) fn answer(world: &mut World, ask: &Ask) -> Answered {
    match ask.operation.as_str() {
        "CreateQueue" => queues::create(world, ask),
        "GetQueueUrl" => queues::url(world, ask),
        "GetQueueAttributes" => queues::attributes(world, ask),
        "SetQueueAttributes" => queues::set_attributes(world, ask),
        "DeleteQueue" => queues::delete(world, ask),
        "ListQueues" => queues::list(world, ask),
        "PurgeQueue" => queues::purge(world, ask),
        "SendMessage" => messages::send(world, ask),
        "SendMessageBatch" => messages::send_batch(world, ask),
        "ReceiveMessage" => messages::receive(world, ask),
        "DeleteMessage" => messages::delete(world, ask),
        "DeleteMessageBatch" => messages::delete_batch(world, ask),
        "ChangeMessageVisibility" => messages::change_visibility(world, ask),
        _ => Err(unknown(Some(ask.service), &ask.operation)),
    }
}

fn no_queue() -> Refusal {
    Refusal::new("QueueDoesNotExist", "The specified queue does not exist.")
}

/// The queue an ask names by its URL, whose last two parts are the owner and the name.
fn queue<'a>(world: &'a mut World, ask: &Ask) -> Result<&'a mut Queue, Refusal> {
    let url = ask.need("QueueUrl")?;
    let mut parts = url.rsplit('/');
    let (name, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let account = world.accounts.get_mut(owner).ok_or_else(no_queue)?;
    let region = account.regions.get_mut(&ask.region).ok_or_else(no_queue)?;
    region.queues.get_mut(name).ok_or_else(no_queue)
}
