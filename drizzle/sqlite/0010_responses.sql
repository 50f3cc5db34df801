CREATE TABLE `response_items` (
	`key` text PRIMARY KEY NOT NULL,
	`object_key` text NOT NULL,
	FOREIGN KEY (`object_key`) REFERENCES `response_objects`(`key`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `response_items_object_key` ON `response_items` (`object_key`);--> statement-breakpoint
CREATE TABLE `response_objects` (
	`key` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`used_at` integer NOT NULL,
	`revision` integer NOT NULL,
	`length` integer NOT NULL,
	`body` blob NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `response_objects_user_id_used_at` ON `response_objects` (`user_id`,`used_at`);--> statement-breakpoint
CREATE INDEX `response_objects_used_at` ON `response_objects` (`used_at`);